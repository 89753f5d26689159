"""A saved model in use: raw rows in, classes and probabilities out. Travels with every model."""
