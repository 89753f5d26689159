"""One run: from a composed config to a trained, evaluated and recorded model."""
