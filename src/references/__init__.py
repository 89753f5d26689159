"""Estimators without a network, on the same splits and by the same decisions: rows for scale."""
