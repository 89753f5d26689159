"""Asymmetric loss: one focusing parameter for the true class, another for the rest."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from .arguments import PACKAGE, ConfiguredLoss, check_not_negative, check_share
from .margin import focal, nan_without_class, sparse_inputs


@keras.saving.register_keras_serializable(package=PACKAGE)
class AsymmetricLoss(ConfiguredLoss):
    r"""$-(1 - p_t)^{\gamma_+} \log p_t - \sum_{c \ne t} q_c^{\gamma_-} \log(1 - q_c)$.

    $p_c = \sigma(x_c)$, one sigmoid per class, and $q_c = \max(p_c - m, 0)$: a wrong class scored
    below the margin m costs nothing, one above it costs less the easier it is.

    The paper's loss is for several labels per example. Integer labels are taken as one-hot, one
    class against the rest, which leaves the formula as it is. The single-label variant of the
    authors' repository is another loss: it puts softmax probabilities into the same two terms.
    Predict by the argmax of the logits, as with a softmax.

    Labels have shape `(batch,)` or `(batch, 1)`, logits `(batch, K)`, the losses `(batch,)`. A
    label other than 0..K-1 gives NaN.

    Args:
        gamma_pos: Focusing parameter of the true class, finite and >= 0. Defaults to 0.0.
        gamma_neg: Focusing parameter of the others, finite and >= 0. Defaults to 4.0.
        margin: Probability m that a wrong class may have for nothing, 0 <= m < 1. Defaults to
            0.05.
        name, **kwargs: As in `keras.losses.Loss`.

    Raises:
        ValueError: An argument is not as above.

    Source: Ridnik et al. 2021, "Asymmetric Loss For Multi-Label Classification", ICCV,
    equations (5) and (7).

    Example:
        >>> loss = AsymmetricLoss(gamma_pos=0.0, gamma_neg=4.0, margin=0.05)
        >>> round(float(loss([0], [[0.0, -4.0]])), 4)  # log 2: p_1 = 0.018 lies below the margin
        0.6931
    """

    arguments = ("gamma_pos", "gamma_neg", "margin")

    def __init__(
        self,
        gamma_pos: float = 0.0,
        gamma_neg: float = 4.0,
        margin: float = 0.05,
        *,
        name: str | None = "asymmetric_loss",
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        self.gamma_pos = check_not_negative(gamma_pos, "gamma_pos")
        self.gamma_neg = check_not_negative(gamma_neg, "gamma_neg")
        self.margin = check_share(margin, "margin")

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return one loss per example, shape `(batch,)`."""
        is_true, logits = sparse_inputs(y_true, y_pred)
        terms = ops.where(is_true, focal(logits, self.gamma_pos), self.negative_term(logits))
        return nan_without_class(is_true, ops.sum(terms, axis=-1))

    def negative_term(self, logits: Any) -> Any:
        r"""$-q^{\gamma_-} \log(1 - q)$, $q = \max(\sigma(x) - m, 0)$, shape of the logits."""
        q = ops.sigmoid(logits) - self.margin
        log_q = ops.log(ops.where(q > 0, q, 1.0))
        # 1 - q is the sum of sigma(-x) and m, which loses nothing where q is next to 1.
        log_margin = ops.log(ops.convert_to_tensor(self.margin, dtype=logits.dtype))
        log_1_q = ops.logaddexp(-ops.softplus(logits), log_margin)
        return ops.where(q > 0, -ops.exp(self.gamma_neg * log_q) * log_1_q, 0.0)
