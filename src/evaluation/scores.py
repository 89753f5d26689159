"""Scores of a trained model on a split, from its predictions alone."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax
from sklearn.metrics import (
    average_precision_score,
    confusion_matrix,
    f1_score,
    precision_recall_fscore_support,
)

from src.evaluation.calibration import brier_score, expected_calibration_error, log_loss
from src.evaluation.decision import check_finite, decide, tune_offsets

COUNTS = ("tp", "fp", "fn")
"""Right decisions for a class, wrong ones, and its rows that were given to others."""
OFFSETS = {"tuned": "decision_offset_", "prior": "prior_offset_"}
"""How the metrics that hold a decision's offsets begin; argmax has none."""
Logits = tuple[NDArray[np.floating], NDArray[np.floating]]
"""Those of the validation split, shape (n_val, K), and of the test split, shape (n_test, K)."""


@dataclass(frozen=True)
class Scores:
    """Metrics by name, and the confusion matrix, int64, shape (K, K): rows are true classes."""

    values: dict[str, float]
    confusion: NDArray[np.int64]


def score(y_true: NDArray[np.int64], logits: NDArray[np.floating]) -> Scores:
    """Scores predictions at argmax, by scikit-learn, and how well calibrated they are.

    Args:
        y_true: class numbers, shape (n,).
        logits: shape (n, K).

    Returns:
        ``f1_macro`` (mean over all K classes, one never seen nor predicted counting 0),
        ``accuracy``, ``balanced_accuracy`` (mean recall), ``log_loss`` (nats), ``ece`` (expected
        calibration error, 15 bins), ``brier`` (summed over classes, 0 to 2), and of each class
        ``f1_class_0``…, ``precision``, ``recall``, and the counts ``tp`` (right decisions), ``fp``
        and ``fn``. ``average_precision_class_<k>`` is the area under precision over recall as the
        threshold on the log-probability of the class falls, in steps at its distinct values; a
        class without rows has none. ``average_precision`` is the mean of those there are.

    Raises:
        UserError: where a logit is not finite.
    """
    check_finite(logits)
    classes = logits.shape[1]
    y_pred = logits.argmax(axis=1)
    values = {
        **_at(y_true, y_pred, classes, ("f1", "precision", "recall", *COUNTS)),
        "accuracy": float((y_pred == y_true).mean()),
        **_calibration(y_true, logits),
        **average_precision(y_true, _log_p(logits)),
    }
    return Scores(values, confusion_matrix(y_true, y_pred, labels=np.arange(classes)))


def score_decisions(
    y_val: NDArray[np.int64],
    y_test: NDArray[np.int64],
    logits: Mapping[str, Logits],
    prior: NDArray[np.float64],
) -> Scores:
    """All final scores of a model, at each of its decisions.

    Args:
        y_val: class numbers, shape (n_val,).
        y_test: class numbers, shape (n_test,).
        logits: for ``argmax``, ``tuned`` and ``prior``, each at its own best epoch.
        prior: offsets of the decision by prior, shape (K,).

    Returns:
        ``test_*`` as :func:`score` has them and ``best_val_*`` as :func:`score_validation` does, of
        argmax; those of :func:`score_offsets` for the others, ``tuned`` by offsets that are tuned
        on the validation split. The confusion matrix is that of argmax on the test split.
    """
    val, test = logits["argmax"]
    of_test = score(y_test, test)
    values = {f"test_{name}": value for name, value in of_test.values.items()}
    values |= score_validation(y_val, val)
    offsets = {"tuned": tune_offsets(y_val, logits["tuned"][0]), "prior": prior}
    for decision, of_classes in offsets.items():
        values |= score_offsets(decision, of_classes, y_val, y_test, logits[decision])
    return Scores(values, of_test.confusion)


def score_offsets(
    decision: str,
    offsets: NDArray[np.float64],
    y_val: NDArray[np.int64],
    y_test: NDArray[np.int64],
    logits: Logits,
) -> dict[str, float]:
    """Scores a decision by class offsets, applied once to the test split.

    Args:
        decision: ``tuned`` or ``prior``.
        offsets: added to the log-probability of each class, shape (K,).
        y_val: class numbers, shape (n_val,).
        y_test: class numbers, shape (n_test,).
        logits: of both splits.

    Returns:
        The offsets (``decision_offset_<k>``, ``prior_offset_<k>``) and, for ``tuned``,
        ``val_tuned_f1_macro``, ``val_tuned_ece``, ``test_tuned_f1_macro``,
        ``test_tuned_balanced_accuracy``, and of each class ``test_tuned_f1_class_<k>``, ``recall``,
        ``tp``, ``fp`` and ``fn``. Its calibration and average precision are ``test_tuned_ece``,
        ``brier``, ``log_loss`` and ``average_precision``: they are not those of argmax where the
        decision has an epoch of its own.
    """
    val, test = logits
    classes = val.shape[1]
    found = {f"{OFFSETS[decision]}{k}": float(value) for k, value in enumerate(offsets)}
    found[f"val_{decision}_f1_macro"] = macro_f1(y_val, decide(val, offsets), classes)
    found[f"val_{decision}_ece"] = _calibration(y_val, val)["ece"]
    on_test = _at(y_test, decide(test, offsets), classes, ("f1", "recall", *COUNTS))
    on_test |= _calibration(y_test, test)
    ranked = average_precision(y_test, _log_p(test))
    on_test["average_precision"] = ranked["average_precision"]
    return found | {f"test_{decision}_{name}": value for name, value in on_test.items()}


def score_validation(y_val: NDArray[np.int64], logits: NDArray[np.floating]) -> dict[str, float]:
    """Scores the validation split at the best epoch for argmax; see :func:`score`.

    Returns:
        ``best_val_f1_macro``, ``best_val_ece``, ``best_val_brier`` and ``best_val_log_loss``.

    Raises:
        UserError: where a logit is not finite.
    """
    check_finite(logits)
    values = {"f1_macro": macro_f1(y_val, logits.argmax(axis=1), logits.shape[1])}
    values |= _calibration(y_val, logits)
    return {f"best_val_{name}": value for name, value in values.items()}


def macro_f1(y_true: NDArray[np.int64], y_pred: NDArray[np.integer], classes: int) -> float:
    """Mean F1 of all K classes; a class neither there nor predicted counts 0."""
    return float(
        f1_score(y_true, y_pred, average="macro", labels=np.arange(classes), zero_division=0)
    )


def _at(
    y_true: NDArray[np.int64], y_pred: NDArray[np.integer], classes: int, by_class: tuple[str, ...]
) -> dict[str, float]:
    """Macro F1, balanced accuracy and the named scores of each class, for given decisions."""
    precision, recall, f1, support = precision_recall_fscore_support(
        y_true, y_pred, labels=np.arange(classes), zero_division=0
    )
    values = {
        "f1_macro": float(f1.mean()),
        "balanced_accuracy": float(recall[support > 0].mean()),
    }
    hits = np.bincount(y_true[y_true == y_pred], minlength=classes)
    given = np.bincount(y_pred, minlength=classes)
    counts = dict(zip(COUNTS, (hits, given - hits, support - hits), strict=True))
    columns = {"f1": f1, "precision": precision, "recall": recall} | counts
    for name in by_class:
        values |= {f"{name}_class_{k}": float(value) for k, value in enumerate(columns[name])}
    return values


def _calibration(y_true: NDArray[np.int64], logits: NDArray[np.floating]) -> dict[str, float]:
    """How well probabilities fit: scores that no decision changes."""
    log_p = _log_p(logits)
    probabilities = np.exp(log_p)
    return {
        "log_loss": log_loss(y_true, log_p),
        "ece": expected_calibration_error(y_true, probabilities),
        "brier": brier_score(y_true, probabilities),
    }


def _log_p(logits: NDArray[np.floating]) -> NDArray[np.float64]:
    log_p: NDArray[np.float64] = log_softmax(logits.astype(np.float64), axis=1)
    return log_p


def average_precision(y_true: NDArray[np.int64], ranked: NDArray[np.floating]) -> dict[str, float]:
    """Average precision of each class that has rows, and the mean of these.

    Args:
        y_true: class numbers, shape (n,).
        ranked: scores by which each class ranks the rows, shape (n, K).
    """
    by_class = {
        f"average_precision_class_{k}": float(average_precision_score(y_true == k, ranked[:, k]))
        for k in np.unique(y_true).tolist()
    }
    return {"average_precision": float(np.mean([*by_class.values()])), **by_class}
