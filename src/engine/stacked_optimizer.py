"""One optimizer for the weights of several replicas, all of them in one variable."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from src.engine.stacked_state import Values

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

    The optimizer has one variable to update, where it had one for each weight: the first weight of
    all replicas, then the second of all, and so on, so that each weight lies in one piece.

    Args:
        optimizer: of one model, built.
        weights: of the model, in the optimizer's order.
        replicas: R.

    Attributes:
        weights: float32, shape (R P,), P numbers of a replica.
        variables: the optimizer's own, its step first.

    Raises:
        NotStackableError: for an optimizer that may look at a weight as a whole, and for weights
            that are not all float32.
    """

    def __init__(self, optimizer: Any, weights: Sequence[Any], replicas: int) -> None:
        _refuse_unlike(optimizer, weights)
        self._one = optimizer
        self._places = weights
        self._shapes = [(replicas, *weight.shape) for weight in weights]
        self._sizes = [int(np.prod(shape)) for shape in self._shapes]
        self.weights = keras.Variable(np.zeros(sum(self._sizes), np.float32), name="stack")
        self._all = type(optimizer).from_config(optimizer.get_config())
        self._all.build([self.weights])
        self.variables: list[Any] = list(self._all.variables)
        self.iterations = self._all.iterations

    def joined(self, values: Sequence[tf.Tensor]) -> tf.Tensor:
        """What :attr:`weights` holds of values by weight, each (R, ...)."""
        return tf.concat([tf.reshape(value, [-1]) for value in values], axis=0)

    def parted(self, joined: tf.Tensor) -> Values:
        """The values by weight, each (R, ...), of what :attr:`weights` holds."""
        parts = tf.split(joined, self._sizes)
        return [tf.reshape(part, shape) for part, shape in zip(parts, self._shapes, strict=True)]

    def picked(self, replica: int, joined: tf.Tensor) -> list[NDArray[Any]]:
        """One replica's values by weight, of what :attr:`weights` holds."""
        parts = np.split(joined.numpy(), np.cumsum(self._sizes)[:-1])
        shaped = zip(parts, self._shapes, strict=True)
        return [part.reshape(shape)[replica] for part, shape in shaped]

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
            if value.shape != self.weights.shape:
                named[variable.name] = value.numpy()
                continue
            slot = variable.name.removeprefix(self.weights.path)
            for weight, part in zip(self._places, self.picked(replica, value), strict=True):
                named[f"{weight.path.replace('/', '_')}{slot}"] = part
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
