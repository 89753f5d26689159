"""Fashion-MNIST by the name that runs are recorded by, of which their comparisons are made."""

from src.data.images.fashion_mnist import fashion_mnist

__all__ = ["fashion_mnist"]
