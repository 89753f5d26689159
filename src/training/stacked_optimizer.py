"""One optimizer for the weights of several replicas, all of them in one matrix."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from src.training.stacked_state import Values

ELEMENTWISE = frozenset(
    {
        keras.optimizers.SGD,
        keras.optimizers.RMSprop,
        keras.optimizers.Adam,
        keras.optimizers.AdamW,
        keras.optimizers.Adamax,
        keras.optimizers.Adagrad,
        keras.optimizers.Adadelta,
        keras.optimizers.Lion,
    }
)
"""Optimizers that update each number by itself, however they are arranged."""


class NotStackableError(Exception):
    """Says why runs cannot be trained together."""


class StackedOptimizer:
    """What an optimizer of one model does, for R replicas of its weights.

    The weights of a replica are a row of a matrix: the optimizer has one variable to update, where
    it had one for each weight.

    Args:
        optimizer: of one model, built.
        weights: of the model, in the optimizer's order.
        replicas: R.

    Attributes:
        weights: float32, shape (R, P), P numbers of a replica.
        variables: the optimizer's own, its step first.

    Raises:
        NotStackableError: for an optimizer that may look at a weight as a whole, and for weights
            that are not all float32.
    """

    def __init__(self, optimizer: Any, weights: Sequence[Any], replicas: int) -> None:
        _refuse_unlike(optimizer, weights)
        self._one = optimizer
        self._places = weights
        self._shapes = [tuple(weight.shape) for weight in weights]
        self._sizes = [int(np.prod(shape)) for shape in self._shapes]
        self.weights = keras.Variable(
            np.zeros((replicas, sum(self._sizes)), np.float32), name="stack"
        )
        self._all = type(optimizer).from_config(optimizer.get_config())
        self._all.build([self.weights])
        self.variables: list[Any] = list(self._all.variables)
        self.iterations = self._all.iterations

    def joined(self, values: Sequence[tf.Tensor]) -> tf.Tensor:
        """Rows of weights, shape (n, P), of values by weight, each (n, ...)."""
        sized = zip(values, self._sizes, strict=True)
        return tf.concat([tf.reshape(value, [-1, size]) for value, size in sized], axis=1)

    def parted(self, rows: tf.Tensor) -> Values:
        """The values by weight, each (n, ...), of rows of weights, shape (n, P)."""
        parts = tf.split(rows, self._sizes, axis=1)
        return [
            tf.reshape(part, [-1, *shape]) for part, shape in zip(parts, self._shapes, strict=True)
        ]

    def apply(self, gradients: Sequence[tf.Tensor]) -> None:
        """Updates the weights by gradients, each (R, ...)."""
        self._all.apply([self.joined(gradients)])

    def of_replica(self, replica: int, values: Sequence[tf.Tensor]) -> list[NDArray[Any]]:
        """What the optimizer of one model has in the place of each of its variables.

        Args:
            replica: its number.
            values: of :attr:`variables`.
        """
        named: dict[str, NDArray[Any]] = {}
        for variable, value in zip(self.variables, values, strict=True):
            array = value.numpy()
            if value.shape != self.weights.shape:
                named[variable.name] = array
                continue
            slot = variable.name.removeprefix(self.weights.path)
            parts = np.split(array[replica], np.cumsum(self._sizes)[:-1])
            for weight, shape, part in zip(self._places, self._shapes, parts, strict=True):
                named[f"{weight.path.replace('/', '_')}{slot}"] = part.reshape(shape)
        return [named[variable.name] for variable in self._one.variables]


def _refuse_unlike(optimizer: Any, weights: Sequence[Any]) -> None:
    """Refuses what would not update each number by itself."""
    if type(optimizer) not in ELEMENTWISE:
        raise NotStackableError(f"{type(optimizer).__name__} may look at a weight as a whole")
    if optimizer.clipnorm or optimizer.global_clipnorm:
        raise NotStackableError("the optimizer clips by a norm; model.clip_norm can be stacked")
    if any(weight.constraint is not None for weight in weights):
        raise NotStackableError("a weight has a constraint")
    if any(weight.dtype != "float32" for weight in weights):
        raise NotStackableError("a weight is not float32")
