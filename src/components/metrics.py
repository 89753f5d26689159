r"""Metrics read off one confusion matrix: macro F1, balanced accuracy, per-class scores.

$$F1_c = \frac{2\,TP_c}{2\,TP_c + FP_c + FN_c}, \qquad \text{macro } F1 = \frac{1}{K} \sum_c F1_c$$

A metric is *stateful* when the value over an epoch is no mean of values over batches. F1 is of
that kind: the matrix is summed over the epoch and the score taken once, from the sum.
`batch_macro_f1` is the stateless counterpart, and shows what goes wrong.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from .arguments import PACKAGE, is_whole
from .confusion import (
    ConfusionMetric,
    class_totals,
    f1_scores,
    predicted_classes,
    true_classes,
)


@keras.saving.register_keras_serializable(package=PACKAGE)
class MacroF1(ConfusionMetric):
    r"""$\frac{1}{K} \sum_c 2\,TP_c / (2\,TP_c + FP_c + FN_c)$ over everything since the reset.

    A class neither seen nor predicted counts 0. This is scikit-learn's
    `f1_score(average="macro", labels=range(K), zero_division=0)` on all batches together.

    Args:
        num_classes: K, a whole number >= 2.
        from_logits: Whether single scores (`(batch,)` or `(batch, 1)`) are logits. Defaults to
            False. Scores of shape `(batch, K)` may be either.
        threshold: Single scores above this are class 1. Defaults to 0.5.
        name: Name of the metric. Defaults to "f1_macro".
        dtype: Dtype of the result; the counts are float64 whatever it is.

    Raises:
        ValueError: An argument is not as above.

    Source: Opitz and Burst 2019, "Macro F1 and Macro F1", arXiv:1911.03347, the
    mean of the F1 scores.

    Example:
        >>> metric = MacroF1(num_classes=2)
        >>> metric.update_state([0, 0, 1], [[0.9, 0.1], [0.2, 0.8], [0.3, 0.7]])
        >>> round(float(metric.result()), 4)
        0.6667
    """

    def __init__(
        self,
        num_classes: int,
        from_logits: bool = False,
        threshold: float = 0.5,
        name: str | None = "f1_macro",
        dtype: Any = None,
    ) -> None:
        super().__init__(num_classes, from_logits, threshold, name, dtype)

    def result(self) -> Any:
        """Return the macro F1, a scalar of the metric's dtype; 0 before any update."""
        return ops.cast(ops.mean(self.class_scores()["f1"]), self.dtype)


@keras.saving.register_keras_serializable(package=PACKAGE)
class ImbalanceReport(ConfusionMetric):
    r"""Macro F1, balanced accuracy and the F1 and recall of classes, from one matrix.

    In the logs of `fit` and `evaluate` each appears under its own key, `val_` before it for
    validation: `f1_macro`, `balanced_accuracy`, `f1_class_0`, `recall_class_0`, and so on.
    Balanced accuracy is the mean recall over the classes present in y_true, scikit-learn's
    `balanced_accuracy_score`. Use this *instead of* `MacroF1`: both give `f1_macro`, and each
    counts for itself.

    Args:
        num_classes: K, a whole number >= 2.
        classes: Classes reported one by one, integers in 0..K-1; None for all, () for none.
            Defaults to None.
        from_logits, threshold, name, dtype: As in `MacroF1`.

    Raises:
        ValueError: An argument is not as above.

    Source: Brodersen et al. 2010, "The Balanced Accuracy and Its Posterior Distribution", ICPR.

    Example:
        >>> report = ImbalanceReport(num_classes=2, classes=[1])
        >>> report.update_state([0, 0, 1], [[0.9, 0.1], [0.2, 0.8], [0.3, 0.7]])
        >>> {key: round(float(value), 4) for key, value in report.result().items()}
        {'f1_macro': 0.6667, 'balanced_accuracy': 0.75, 'f1_class_1': 0.6667, 'recall_class_1': 1.0}
    """

    def __init__(
        self,
        num_classes: int,
        classes: Sequence[int] | None = None,
        *,
        from_logits: bool = False,
        threshold: float = 0.5,
        name: str | None = "imbalance_report",
        dtype: Any = None,
    ) -> None:
        super().__init__(num_classes, from_logits, threshold, name, dtype)
        given = range(self.num_classes) if classes is None else list(classes)
        if not all(is_whole(c, least=0) and c < self.num_classes for c in given):
            raise ValueError(f"`classes` must be integers in 0..{num_classes - 1}. Got {classes}.")
        self.classes = None if classes is None else [int(c) for c in classes]

    def result(self) -> dict[str, Any]:
        """Return the scores by name, scalars of the metric's dtype."""
        scores = self.class_scores()
        # NaN is unequal to 0 and so counts as present: a bad label must not vanish here.
        present = ops.sum(ops.cast(scores["support"] != 0, "float64"))
        balanced = ops.divide_no_nan(ops.sum(scores["recall"]), present)
        report = {"f1_macro": ops.mean(scores["f1"]), "balanced_accuracy": balanced}
        for c in range(self.num_classes) if self.classes is None else self.classes:
            report[f"f1_class_{c}"] = scores["f1"][c]
            report[f"recall_class_{c}"] = scores["recall"][c]
        return {name: ops.cast(value, self.dtype) for name, value in report.items()}

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "classes": self.classes}


@keras.saving.register_keras_serializable(package=PACKAGE)
def batch_macro_f1(y_true: Any, y_pred: Any) -> Any:
    r"""Macro F1 of one batch: the stateless metric, for holding against `MacroF1`.

    Given to `compile`, Keras shows the mean of its values over the batches, and that is not the
    macro F1 of the epoch: F1 is a ratio, a mean of ratios is not the ratio of the sums, and a
    class absent from a batch counts 0 there. With a rare class most batches lack it and the mean
    is pulled towards 1/K of the rest. Use it where there is one batch.

    Args:
        y_true: Integer classes, shape `(batch,)` or `(batch, 1)`, or one-hot `(batch, K)`.
        y_pred: Logits or probabilities, shape `(batch, K)`.

    Returns:
        A float32 scalar.

    Raises:
        ValueError: A shape is not as above.

    Example:
        >>> round(float(batch_macro_f1([0, 1], [[0.9, 0.1], [0.8, 0.2]])), 4)
        0.3333
    """
    shape = tuple(ops.convert_to_tensor(y_pred).shape)
    if len(shape) != 2 or not is_whole(shape[1], least=2):
        raise ValueError(f"y_pred must have shape (batch, K) with K >= 2 known. Got {shape}.")
    k = shape[1]
    true, is_class = true_classes(y_true, k)
    predicted, is_number = predicted_classes(y_pred, k)
    weights = ops.where(is_class & is_number, 1.0, math.nan)
    return ops.mean(f1_scores(class_totals(true, predicted, weights, k)))
