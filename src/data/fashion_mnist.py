"""Where records of earlier runs, which name what they were built from, look for Fashion-MNIST."""

from src.data.images.fashion_mnist import fashion_mnist

__all__ = ["fashion_mnist"]
