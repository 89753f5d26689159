"""Typed configuration: schemas, their registration with Hydra, and checks that need no TensorFlow."""
