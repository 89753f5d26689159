"""The confusion matrix that the metrics read, counted exactly and at little cost a step.

Counts are float64 and exact up to 2^53 (a float32 counter stops at 2^24, adding 1 to 16,777,216
in vain), whatever the metric's dtype or the global policy, and hold fractional weights.
"""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from .arguments import is_whole
from .margin import widen


def ratio(numerator: Any, denominator: Any) -> tf.Tensor:
    """Divide, with 0 where the denominator is 0 and NaN where it is NaN."""
    return tf.math.divide_no_nan(numerator, denominator)


def true_classes(y_true: Any, num_classes: int) -> tf.Tensor:
    """Return int64 classes `(batch,)` from integer labels or from one-hot rows."""
    labels = tf.convert_to_tensor(y_true)
    if labels.shape.rank == 1:
        return tf.cast(labels, tf.int64)
    if labels.shape.rank == 2 and labels.shape[1] == 1:
        return tf.cast(labels[:, 0], tf.int64)
    if labels.shape.rank == 2 and labels.shape[1] == num_classes:
        return tf.argmax(labels, axis=1)
    raise ValueError(
        "y_true must hold integer classes of shape (batch,) or (batch, 1), or one-hot rows of "
        f"shape (batch, {num_classes}). Got {labels.shape}."
    )


def predicted_classes(y_pred: Any, num_classes: int, cut: float) -> tf.Tensor:
    """Return int64 classes `(batch,)`: the argmax, or whether a single score exceeds `cut`."""
    scores = widen(y_pred)
    if scores.shape.rank == 2 and scores.shape[1] == num_classes:
        return tf.argmax(scores, axis=1)
    single = scores.shape.rank == 1 or (scores.shape.rank == 2 and scores.shape[1] == 1)
    if single and num_classes == 2:
        return tf.cast(tf.reshape(scores, [-1]) > cut, tf.int64)
    expected = f"(batch, {num_classes})" + (", (batch, 1) or (batch,)" if num_classes == 2 else "")
    raise ValueError(
        f"y_pred must have shape {expected} for num_classes={num_classes}. Got {scores.shape}."
    )


class ConfusionMetric(keras.metrics.Metric):
    """A metric whose state is a confusion matrix; subclasses say what to read off it.

    Beside the matrix stand its row sums and column sums, kept as it grows: Keras takes `result()`
    after every training step, and reading 3K numbers a step instead of K^2 is what lets
    a thousand classes cost little more than ten.

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
        if not is_whole(num_classes, least=2):
            raise ValueError(f"`num_classes` must be a whole number >= 2. Got {num_classes!r}.")
        if not 0 < threshold < 1:
            raise ValueError(f"`threshold` must lie between 0 and 1. Got {threshold!r}.")
        self.num_classes = int(num_classes)
        self.from_logits, self.threshold = bool(from_logits), float(threshold)
        self._direction = "up"
        k = self.num_classes
        # Row by row: a flat variable is read and written in place on every device and under XLA.
        self._matrix = self.add_weight((k * k,), "zeros", dtype="float64", name="confusion")
        self._sums = self.add_weight((2 * k,), "zeros", dtype="float64", name="sums")
        self._diagonal = np.arange(k) * (k + 1)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Count a batch.

        Args:
            y_true: Integer classes, shape `(batch,)` or `(batch, 1)`, or one-hot rows,
                `(batch, K)`. A label outside 0..K-1 is counted as NaN, which makes the scores of
                its class and every mean NaN: no number rather than a wrong one.
            y_pred: Logits or probabilities, shape `(batch, K)`, or for two classes one score an
                example, `(batch,)` or `(batch, 1)`.
            sample_weight: What each example counts for, shape `(batch,)`, `(batch, 1)` or `()`.
                Defaults to 1 each.

        Raises:
            ValueError: A shape is not as above.
        """
        k = self.num_classes
        cut = self.threshold
        if self.from_logits:
            cut = math.log(cut / (1 - cut))
        true, predicted = true_classes(y_true, k), predicted_classes(y_pred, k, cut)
        inside = tf.clip_by_value(true, 0, k - 1)
        weights = tf.where(inside == true, tf.constant(1, tf.float64), math.nan)
        if sample_weight is not None:
            given = tf.cast(tf.convert_to_tensor(sample_weight), tf.float64)
            weights *= tf.reshape(given, [-1]) if given.shape.rank else given
        cells = inside * k + predicted
        if self._counts_in_place():
            places = tf.concat([inside, predicted + k], axis=0)
            twice = tf.concat([weights, weights], axis=0)
            self._matrix.value.scatter_add(tf.IndexedSlices(weights, cells))
            self._sums.value.scatter_add(tf.IndexedSlices(twice, places))
        else:
            counted = tf.math.unsorted_segment_sum(weights, cells, k * k)
            table = tf.reshape(counted, [k, k])
            self._matrix.assign_add(counted)
            sums = [tf.reduce_sum(table, axis=1), tf.reduce_sum(table, axis=0)]
            self._sums.assign_add(tf.concat(sums, axis=0))

    def _counts_in_place(self) -> bool:
        """Whether K^2 numbers may stay where they are, and only the cells named be touched.

        So it is where the state is a variable of one device.
        """
        return isinstance(self._matrix.value, tf.Variable) and not tf.distribute.has_strategy()

    def class_scores(self) -> dict[str, tf.Tensor]:
        """Return `f1`, `precision`, `recall` and `support` so far, float64 `(K,)` tensors."""
        # Of a variable this reads the diagonal alone, where a tensor of it would copy it all.
        hits = tf.gather(self._matrix.value, self._diagonal)
        true, predicted = tf.split(tf.convert_to_tensor(self._sums.value), 2)
        return {
            "f1": ratio(2 * hits, true + predicted),
            "precision": ratio(hits, predicted),
            "recall": ratio(hits, true),
            "support": true,
        }

    def _macro_f1(self) -> tf.Tensor:
        """Mean F1 over all K classes."""
        return tf.cast(tf.reduce_mean(self.class_scores()["f1"]), self.dtype)

    def confusion_matrix(self) -> np.ndarray:
        """Return the counts so far, float64 `(K, K)`: rows are true, columns predicted classes."""
        k = self.num_classes
        return np.reshape(keras.ops.convert_to_numpy(self._matrix), (k, k))

    def per_class(self) -> dict[str, np.ndarray]:
        """Return `f1`, `precision`, `recall` and `support` so far, each float64 `(K,)`.

        A ratio of 0 to 0 is 0, as with scikit-learn's `zero_division=0`.
        """
        return {key: value.numpy() for key, value in self.class_scores().items()}

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        own = {
            "num_classes": self.num_classes,
            "from_logits": self.from_logits,
            "threshold": self.threshold,
        }
        return {**super().get_config(), **own}
