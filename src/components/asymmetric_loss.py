"""Asymmetric loss: one focusing parameter for the true class, another for the rest."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from .arguments import PACKAGE, check_gamma, check_share
from .margin import focal_term, nan_unless, sparse_inputs


@keras.saving.register_keras_serializable(package=PACKAGE)
class AsymmetricLoss(keras.losses.Loss):
    r"""$-(1 - p_t)^{\gamma_+} \log p_t - \sum_{c \ne t} q_c^{\gamma_-} \log(1 - q_c)$.

    $p_c = \sigma(x_c)$, one sigmoid a class, and $q_c = \max(p_c - m, 0)$: a wrong class scored
    below the margin m costs nothing, one above it costs less the easier it is.

    The paper's loss is for many labels an example. Integer labels are taken as one-hot, one class
    against the rest, which leaves the formula as it is. The single-label variant of the authors'
    repository is another loss: it puts softmax probabilities into the same two terms. Predict by
    the argmax of the logits, as with a softmax.

    Args:
        gamma_pos: Focusing parameter of the true class, finite and >= 0. Defaults to 0.0.
        gamma_neg: Focusing parameter of the others, finite and >= 0. Defaults to 4.0.
        margin: Probability m that a wrong class may have for nothing, 0 <= m < 1. Defaults to
            0.05.
        reduction: As in `keras.losses.Loss`. Defaults to "sum_over_batch_size".
        name: Name of the loss.
        dtype: Dtype of the loss; defaults to `keras.config.floatx()`.

    Labels have shape `(batch,)` or `(batch, 1)`, logits `(batch, K)`, the losses `(batch,)`. A
    label outside 0..K-1 gives NaN.

    Raises:
        ValueError: An argument is not as above.

    Source: Ridnik et al. 2021, "Asymmetric Loss For Multi-Label Classification", ICCV,
    equations (5) and (7).

    Example:
        >>> loss = AsymmetricLoss(gamma_pos=0.0, gamma_neg=4.0, margin=0.05)
        >>> round(float(loss([0], [[0.0, -4.0]])), 4)  # log 2: p_1 = 0.018 lies below the margin
        0.6931
    """

    def __init__(
        self,
        gamma_pos: float = 0.0,
        gamma_neg: float = 4.0,
        margin: float = 0.05,
        *,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "asymmetric_loss",
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.gamma_pos = check_gamma(gamma_pos, "gamma_pos")
        self.gamma_neg = check_gamma(gamma_neg, "gamma_neg")
        self.margin = check_share(margin, "margin")

    def call(self, y_true: Any, y_pred: Any) -> tf.Tensor:
        """Return one loss an example, shape `(batch,)`."""
        labels, known, logits = sparse_inputs(y_true, y_pred)
        is_true = tf.range(tf.shape(logits)[-1]) == labels[..., tf.newaxis]
        terms = tf.where(is_true, focal_term(logits, self.gamma_pos), self._negative_term(logits))
        return nan_unless(known, tf.reduce_sum(terms, axis=-1))

    def _negative_term(self, logits: tf.Tensor) -> tf.Tensor:
        r"""$-q^{\gamma_-} \log(1 - q)$, $q = \max(\sigma(x) - m, 0)$."""
        if not tf.is_tensor(self.margin) and self.margin == 0:
            return focal_term(-logits, self.gamma_neg)
        shifted = tf.sigmoid(logits) - self.margin
        counts = shifted > 0
        # 1 - q is summed, not subtracted, and q is kept off 0, where its power has a pole.
        entropy = -tf.math.log(tf.where(counts, tf.sigmoid(-logits) + self.margin, 1))
        return tf.pow(tf.where(counts, shifted, 1), self.gamma_neg) * entropy

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        own = {"gamma_pos": self.gamma_pos, "gamma_neg": self.gamma_neg, "margin": self.margin}
        return {**super().get_config(), **own, "dtype": self.dtype}

    def graph_numbers(self) -> dict[str, float | list[float]]:
        """Return what a graph may hold in variables.

        A margin of 0 has operations of its own. With another one gamma_neg is the exponent of a
        power, which TensorFlow computes otherwise where it is 1, 2 or 3.
        """
        if self.margin == 0:
            return {"gamma_pos": self.gamma_pos, "gamma_neg": self.gamma_neg}
        return {"gamma_pos": self.gamma_pos, "margin": self.margin}
