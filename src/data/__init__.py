"""Data: one module per source, and every source is a function that returns the same `Dataset`."""
