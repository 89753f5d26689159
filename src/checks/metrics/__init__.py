"""The checks of a metric."""
