"""The confusion matrix that the metrics read: exact counts, cheap for a thousand classes too.

Counts are float64 and exact up to 2^53 (a float32 counter stops at 2^24, adding 1 to 16,777,216
in vain), whatever the metric's dtype or the global policy, and hold fractional weights. JAX has
float64 only where `jax_enable_x64` is set; without it counts are exact up to 2^24.
"""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
from keras import ops

from .arguments import check_num_classes
from .margin import widen


def true_classes(y_true: Any, num_classes: int) -> tuple[Any, Any]:
    """Read classes from integer labels or from one-hot rows.

    Returns:
        int32 classes in 0..K-1, shape `(batch,)`, and where a label is such a class, bool.
    """
    labels = widen(y_true)  # float32 holds every class up to 2^24
    shape = tuple(labels.shape)
    if shape[1:] in ((), (1,)):
        labels = ops.reshape(labels, [-1])
        classes = ops.clip(ops.cast(labels, "int32"), 0, num_classes - 1)
        return classes, ops.cast(classes, labels.dtype) == labels
    if shape[1:] == (num_classes,):
        # Of integers the argmax is one operation, of floats six: Keras looks for -0.0 among them.
        classes = ops.argmax(ops.cast(labels, "int32"), axis=1)
        one_hot = ops.one_hot(classes, num_classes, dtype=labels.dtype)
        return classes, ops.all(labels == one_hot, axis=1)
    raise ValueError(
        "y_true must hold integer classes of shape (batch,) or (batch, 1), or one-hot rows of "
        f"shape (batch, {num_classes}). Got {shape}."
    )


def predicted_classes(y_pred: Any, num_classes: int, cut: float = 0.5) -> tuple[Any, Any]:
    """Take the argmax, or for two classes whether a single score exceeds `cut`.

    Returns:
        int32 classes, shape `(batch,)`, and where no score is NaN, bool.
    """
    scores = widen(y_pred)
    shape = tuple(scores.shape)
    if shape[1:] == (num_classes,):
        return ops.argmax(scores, axis=1), ops.all(scores <= math.inf, axis=1)
    if shape[1:] in ((), (1,)) and num_classes == 2:
        scores = ops.reshape(scores, [-1])
        return ops.cast(scores > cut, "int32"), scores <= math.inf
    expected = f"(batch, {num_classes})" + (", (batch, 1) or (batch,)" if num_classes == 2 else "")
    raise ValueError(
        f"y_pred must have shape {expected} for num_classes={num_classes}. Got {shape}."
    )


def class_totals(true: Any, predicted: Any, weights: Any, num_classes: int) -> Any:
    """Return the weights `(3, K)` of each class's hits, true examples and predictions."""
    hits = weights * ops.cast(true == predicted, weights.dtype)
    rows = ((hits, true), (weights, true), (weights, predicted))
    return ops.stack([ops.segment_sum(row, classes, num_classes) for row, classes in rows])


def f1_scores(totals: Any) -> Any:
    r"""Return $2\,TP_c / (2\,TP_c + FP_c + FN_c)$ `(K,)` of class totals, 0 for 0 / 0."""
    hits, true, predicted = ops.unstack(totals)
    return ops.divide_no_nan(2 * hits, true + predicted)


def _add(variable: keras.Variable, counted: Any) -> None:
    """Add in float64, which `assign_add` of Keras's NumPy backend turns into float32."""
    variable.assign(ops.convert_to_tensor(variable) + counted)


class ConfusionMetric(keras.metrics.Metric):
    """A metric whose state is a confusion matrix; subclasses compute their scores from it.

    Beside the matrix stand its diagonal, row sums and column sums, kept as it grows: Keras calls
    `result()` after every training step, and 3 K numbers are read faster than K^2, so that a
    thousand classes cost little more than ten.

    Args:
        num_classes: K, a whole number >= 2.
        from_logits: Whether single scores are logits, to be held against the threshold's logit.
            Without effect on `(batch, K)` scores, whose argmax is the same. Defaults to False.
        threshold: Single scores above this are class 1, 0 < threshold < 1. Defaults to 0.5.
        name: Name of the metric.
        dtype: Dtype of the results; the counts are float64 whatever it is.

    Raises:
        ValueError: An argument is not as above.
    """

    def __init__(
        self,
        num_classes: int,
        from_logits: bool = False,
        threshold: float = 0.5,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        if not 0 < threshold < 1:
            raise ValueError(f"`threshold` must lie between 0 and 1. Got {threshold!r}.")
        self.num_classes = k = check_num_classes(num_classes)
        self.from_logits, self.threshold = bool(from_logits), float(threshold)
        self._direction = "up"
        self._matrix = self.add_weight((k, k), "zeros", dtype="float64", name="confusion")
        self._totals = self.add_weight((3, k), "zeros", dtype="float64", name="totals")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Count a batch.

        A label that is no class (a fraction, outside 0..K-1, a row that is not one-hot) and a score
        that is NaN are counted as NaN, which makes every mean NaN: no number rather than a wrong
        one.

        Args:
            y_true: Integer classes, shape `(batch,)` or `(batch, 1)`, or one-hot rows,
                `(batch, K)`.
            y_pred: Logits or probabilities, shape `(batch, K)`, or for two classes one score per
                example, `(batch,)` or `(batch, 1)`.
            sample_weight: What each example counts for, shape `(batch,)`, `(batch, 1)` or `()`.
                Defaults to 1 each.

        Raises:
            ValueError: A shape is not as above.
        """
        k, cut = self.num_classes, self.threshold
        if self.from_logits:
            cut = math.log(cut / (1 - cut))
        true, is_class = true_classes(y_true, k)
        predicted, is_number = predicted_classes(y_pred, k, cut)
        weights = ops.cast(ops.where(is_class & is_number, 1.0, math.nan), "float64")
        if sample_weight is not None:
            given = ops.convert_to_tensor(sample_weight, dtype="float64")
            weights = weights * (ops.reshape(given, [-1]) if len(given.shape) else given)
        _add(self._totals, class_totals(true, predicted, weights, k))
        try:  # TensorFlow's variables grow in place, where only the batch's cells are touched
            self._matrix.value.scatter_nd_add(ops.stack([true, predicted], axis=1), weights)
        except (AttributeError, NotImplementedError):  # another backend, or several replicas
            cells = ops.segment_sum(weights, true * k + predicted, k * k)
            _add(self._matrix, ops.reshape(cells, (k, k)))

    def class_scores(self) -> dict[str, Any]:
        """Return `f1`, `precision`, `recall` and `support` so far, float64 `(K,)` tensors."""
        totals = ops.convert_to_tensor(self._totals)
        hits, true, predicted = ops.unstack(totals)
        return {
            "f1": f1_scores(totals),
            "precision": ops.divide_no_nan(hits, predicted),
            "recall": ops.divide_no_nan(hits, true),
            "support": true,
        }

    def confusion_matrix(self) -> np.ndarray:
        """Return the counts so far, float64 `(K, K)`: rows are true, columns predicted classes."""
        matrix: np.ndarray = ops.convert_to_numpy(self._matrix)
        return matrix

    def per_class(self) -> dict[str, np.ndarray]:
        """Return `f1`, `precision`, `recall` and `support` so far, each float64 `(K,)`.

        A ratio of 0 to 0 is 0, as with scikit-learn's `zero_division=0`.
        """
        return {name: ops.convert_to_numpy(value) for name, value in self.class_scores().items()}

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        own = {
            "num_classes": self.num_classes,
            "from_logits": self.from_logits,
            "threshold": self.threshold,
        }
        return {**super().get_config(), **own}
