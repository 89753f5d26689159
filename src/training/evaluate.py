"""What a trained model scores on a split, from its predictions alone."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support


@dataclass(frozen=True)
class Scores:
    """Results on one split.

    Attributes:
        values: metric names and values, without a prefix.
        confusion: counts, int64, shape (K, K): rows are true classes, columns predicted ones.
    """

    values: dict[str, float]
    confusion: NDArray[np.int64]


def score(y_true: NDArray[np.int64], logits: NDArray[np.floating]) -> Scores:
    """Scores predictions at argmax, by scikit-learn.

    Args:
        y_true: class numbers, shape (n,).
        logits: shape (n, K).

    Returns:
        ``f1_macro`` (mean over all K classes, one never seen nor predicted counting 0),
        ``accuracy``, ``balanced_accuracy`` (mean recall), ``log_loss`` (nats), and ``f1``,
        ``precision`` and ``recall`` of each class as ``f1_class_0``…
    """
    classes = np.arange(logits.shape[1])
    y_pred = logits.argmax(axis=1)
    precision, recall, f1, support = precision_recall_fscore_support(
        y_true, y_pred, labels=classes, zero_division=0
    )
    log_p = log_softmax(logits.astype(np.float64), axis=1)
    values = {
        "f1_macro": float(f1.mean()),
        "accuracy": float((y_pred == y_true).mean()),
        "balanced_accuracy": float(recall[support > 0].mean()),
        "log_loss": float(-log_p[np.arange(len(y_true)), y_true].mean()),
    }
    for name, per_class in (("f1", f1), ("precision", precision), ("recall", recall)):
        values |= {f"{name}_class_{k}": float(value) for k, value in enumerate(per_class)}
    return Scores(values, confusion_matrix(y_true, y_pred, labels=classes))
