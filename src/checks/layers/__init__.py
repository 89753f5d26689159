"""The checks of a layer."""
