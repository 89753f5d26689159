"""Compares finished runs: reads the store or the disk, imports no TensorFlow."""
