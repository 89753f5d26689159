"""A saved model at work on this machine: found, promoted, predicting files. Never travels."""
