"""Macro F1 that can be differentiated: the counts of a batch are sums of probabilities."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from .arguments import PACKAGE, ConfiguredLoss
from .margin import nan_without_class, sparse_inputs


@keras.saving.register_keras_serializable(package=PACKAGE)
class SoftMacroF1Loss(ConfiguredLoss):
    r"""$1 - \frac{1}{K} \sum_c \frac{2 \sum_i p_{ic} y_{ic}}{\sum_i p_{ic} + \sum_i y_{ic}}$.

    Over the examples i of a batch, with $p_{ic}$ the softmax probabilities and $y_{ic}$ 1 at the
    true class. Where every probability is 0 or 1 it is 1 minus the macro F1 of the batch.

    It depends on the batch, as F1 does: no example has a loss of its own, so each is given that of
    its batch, and the mean over batches is not the loss of all examples. A class that a batch lacks
    counts as F1 0 and pulls nowhere. So batches must be large enough to hold every class. The
    gradient vanishes where the model is sure, of the wrong class too.

    `y_true` has shape `(batch,)` or `(batch, 1)`, `y_pred` `(batch, K)`, the losses `(batch,)`. A
    label other than 0..K-1 gives NaN for its example.

    Args:
        name, **kwargs: As in `keras.losses.Loss`.

    Source: Jansche 2005, "Maximum Expected F-Measure Training of Logistic Regression Models",
    HLT/EMNLP, section 3 (counts as sums of probabilities); averaged over classes as in Benedict et
    al. 2022, "sigmoidF1: A Smooth F1 Score Surrogate Loss for Multilabel Classification", TMLR,
    which takes sigmoids.

    Example:
        >>> loss = SoftMacroF1Loss()
        >>> round(float(loss([0, 0, 1], [[9.0, -9.0], [9.0, -9.0], [9.0, -9.0]])), 4)
        0.6
    """

    def __init__(self, *, name: str | None = "soft_macro_f1_loss", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the batch's loss for each example."""
        is_true, logits = sparse_inputs(y_true, y_pred)
        p, y = ops.softmax(logits, axis=-1), ops.cast(is_true, logits.dtype)
        predicted_and_true = ops.sum(p, axis=0) + ops.sum(y, axis=0)
        f1 = 2 * ops.sum(p * y, axis=0) / ops.maximum(predicted_and_true, keras.config.epsilon())
        return nan_without_class(is_true, ops.broadcast_to(1 - ops.mean(f1), ops.shape(y)[:-1]))
