"""The data: one module a source, and every source is a function that returns the same `Dataset`."""
