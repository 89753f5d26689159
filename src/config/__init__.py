"""Typed configuration: schemas, their registration with Hydra, and checks without TensorFlow."""
