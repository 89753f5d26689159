"""Metrics of a training step that is the model's own: what evaluation has nothing to say of."""

from __future__ import annotations

import math
from typing import Any

import keras
import tensorflow as tf

OF_TRAINING = ("grad_norm", "clipped_fraction", "learning_rate")
"""Names of the logs of both metrics here."""


class LastValue(keras.metrics.Metric):
    """A metric that holds what it was last given; Keras resets it to 0 at each epoch's start."""

    def __init__(self, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self._value = self.add_variable(  # replicas agree on it: their sum would be wrong
            (), "zeros", aggregation="only_first_replica", name="value"
        )

    def update_state(self, value: Any) -> None:
        """Keep the value, a scalar."""
        self._value.assign(value)

    def result(self) -> tf.Tensor:
        """Return the value last given."""
        return tf.convert_to_tensor(self._value.value)


class ClippedNorm(keras.metrics.Metric):
    """The mean of the steps' gradient norms, and the share of steps whose norm was too large.

    Its logs are `grad_norm` and `clipped_fraction`. All of its state is one variable: a small
    network's step pays for the number of operations, not for their size.
    """

    def __init__(self, name: str | None = "grad_norm", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self._sums = self.add_variable((3,), "zeros", name="steps_norms_clipped")

    def update_state(self, norm: tf.Tensor, clip_norm: float | None) -> None:
        """Count a step, unless its norm is not finite.

        Args:
            norm: Of the step's gradients before clipping, a scalar.
            clip_norm: The largest norm that is left alone; None for any.
        """
        norm = tf.cast(norm, self.dtype)
        checked = norm + (norm - norm)  # NaN, which exceeds nothing, where it is not finite
        clip_norm = math.inf if clip_norm is None else clip_norm
        step = tf.where(checked > [-1.0, -1.0, clip_norm], tf.stack([1.0, norm, 1.0]), 0)
        # `assign_add` of a Keras variable is three operations, that of TensorFlow's is one; in a
        # `keras.StatelessScope` there is only a tensor.
        sums = self._sums.value if isinstance(self._sums.value, tf.Variable) else self._sums
        sums.assign_add(step)

    def result(self) -> dict[str, tf.Tensor]:
        """Return both means over the steps since the last reset; 0 where there was none."""
        steps, norms, clipped = tf.unstack(tf.convert_to_tensor(self._sums.value))
        return {
            "grad_norm": tf.math.divide_no_nan(norms, steps),
            "clipped_fraction": tf.math.divide_no_nan(clipped, steps),
        }
