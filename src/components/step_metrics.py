"""The logs of a training step beside the loss and the compiled metrics."""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops

OF_TRAINING = ("grad_norm", "clipped_fraction", "learning_rate")
"""Names of the logs; evaluation has none of them."""


class StepLog(keras.metrics.Metric):
    """Means over the steps of an epoch of the gradient's norm, and the latest learning rate."""

    def __init__(self, name: str | None = "step_log", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self._sums = self.add_variable((3,), "zeros", name="steps_norms_clipped")
        self._learning_rate = self.add_variable(  # replicas agree on it: their sum would be wrong
            (), "zeros", aggregation="only_first_replica", name="learning_rate"
        )

    def update_state(self, norm: Any, clip_norm: float | None, learning_rate: Any) -> None:
        """Count a step; one whose norm is not finite, and which is skipped, counts for no mean.

        Args:
            norm: Of the step's gradients before clipping, a scalar.
            clip_norm: The largest norm that is left alone; None for any.
            learning_rate: Of the step, a scalar.
        """
        norm = ops.cast(norm, self.dtype)
        clipped = ops.cast(norm > (math.inf if clip_norm is None else clip_norm), self.dtype)
        step = ops.stack([ops.ones_like(norm), norm, clipped])
        self._sums.assign_add(ops.where(norm < math.inf, step, 0.0))
        self._learning_rate.assign(learning_rate)

    def result(self) -> dict[str, Any]:
        """Return the logs; the means are 0 where there was no step."""
        steps, norms, clipped = ops.unstack(ops.convert_to_tensor(self._sums))
        means = ops.divide_no_nan(norms, steps), ops.divide_no_nan(clipped, steps)
        rate = ops.copy(self._learning_rate)  # since the variable is reset later
        return dict(zip(OF_TRAINING, (*means, rate), strict=True))
