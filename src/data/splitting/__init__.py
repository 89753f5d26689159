"""Which rows are trained on, which choose, and which are the test."""
