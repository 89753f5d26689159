"""Whose gradient trains the model, measured for the page "When focal loss helps"."""
