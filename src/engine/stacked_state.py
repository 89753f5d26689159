"""What a stack of replicas is trained on, and what comes out of an epoch."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from src.data.dataset import Dataset

Values = list[tf.Tensor]
Results = tuple[dict[str, Any], NDArray[np.float64]]
"""Of the metrics by name, shape (R,), and the F1 of each class, shape (R, K)."""


@dataclass(frozen=True)
class StackedData:
    """Training and validation split of each replica.

    Attributes:
        x: float32, shape (R, n, ...).
        y: int64, shape (R, n).
        x_val: float32, shape (R, n_val, ...).
        y_val: int64, shape (R, n_val).
    """

    x: tf.Tensor
    y: tf.Tensor
    x_val: tf.Tensor
    y_val: tf.Tensor

    @classmethod
    def of(cls, datasets: Sequence[Dataset]) -> "StackedData":
        """Stacks data sets of one shape."""
        names = ("x_train", "y_train", "x_val", "y_val")
        return cls(*(tf.constant(np.stack([getattr(d, n) for d in datasets])) for n in names))


@dataclass(frozen=True)
class State:
    """All replicas between two epochs.

    Attributes:
        weights: as :class:`StackedOptimizer` holds them, shape (R P,).
        others: random generators and weights that are not trained, R in front of each shape.
        optimizer: its variables.
    """

    weights: tf.Tensor
    others: Values
    optimizer: Values


@dataclass(frozen=True)
class Epoch:
    """All replicas after an epoch.

    Attributes:
        state: from which the next one goes on.
        train: the epoch's results.
        val: those of the validation split.
    """

    state: State
    train: Results
    val: Results
