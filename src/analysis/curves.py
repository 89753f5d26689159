"""Curves from predictions: precision and recall of one class, and reliability."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from src.analysis.evidence import Predictions

BINS = 15
"""Of confidence, as in the expected calibration error."""
RECALLS = np.linspace(0, 1, 101)

Floats = NDArray[np.float64]


def precision_recall(one: Predictions, k: int) -> tuple[Floats, Floats]:
    """Precision and recall of a class at every threshold on its probability.

    Args:
        one: predictions of a run.
        k: the class; the others together are its opposite.

    Returns:
        Precision and recall, recall ascending; empty where the class has no row.
    """
    scores, positive = one.probabilities[:, k], one.y_true == k
    if not positive.any():
        return np.empty(0), np.empty(0)
    order = np.argsort(-scores, kind="stable")
    last_of_equals = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)
    hits = np.cumsum(positive[order])[last_of_equals]
    return hits / (last_of_equals + 1), hits / positive.sum()


def average_precision(precision: Floats, recall: Floats) -> float:
    """Precision weighted by the rise in recall: the area under the steps.

    Args:
        precision: at each threshold.
        recall: at each threshold, ascending.
    """
    return float((np.diff(recall, prepend=0) * precision).sum())


def mean_precision(runs: Sequence[Predictions], k: int) -> tuple[Floats, float]:
    """The precision that can be had at each recall of ``RECALLS``, averaged over runs.

    Args:
        runs: predictions, one a seed.
        k: the class.

    Returns:
        Mean over runs of the best precision at that recall or a higher one, and the mean average
        precision.
    """
    curves, areas = [], []
    for one in runs:
        precision, recall = precision_recall(one, k)
        if recall.size:
            best = np.maximum.accumulate(precision[::-1])[::-1]
            curves.append(best[np.searchsorted(recall, RECALLS - 1e-12)])
            areas.append(average_precision(precision, recall))
    if not curves:
        return np.empty(0), float("nan")
    return np.mean(curves, axis=0), float(np.mean(areas))


def reliability(runs: Sequence[Predictions]) -> tuple[Floats, Floats, Floats]:
    """Confidence against accuracy, in bins of equal width over all runs together.

    Args:
        runs: predictions, one a seed.

    Returns:
        Mean confidence, accuracy (of the most probable class), and share of the examples, of each
        bin that has any.
    """
    confidence = np.concatenate([one.probabilities.max(axis=1) for one in runs])
    right = np.concatenate([one.probabilities.argmax(axis=1) == one.y_true for one in runs])
    known = np.isfinite(confidence)
    confidence, right = confidence[known], right[known]
    place = np.clip(np.ceil(confidence * BINS).astype(int) - 1, 0, BINS - 1)
    counts = np.bincount(place, minlength=BINS)
    full = counts > 0
    sums = (
        np.bincount(place, weights=values, minlength=BINS)[full] for values in (confidence, right)
    )
    mean_confidence, accuracy = (total / counts[full] for total in sums)
    return mean_confidence, accuracy, counts[full] / max(counts.sum(), 1)


def confusion(runs: Sequence[Predictions]) -> NDArray[np.int64]:
    """Counts over all runs, shape (K, K): rows are true classes, columns predicted ones."""
    classes = runs[0].probabilities.shape[1]
    cells = np.concatenate([one.y_true * classes + one.y_pred for one in runs])
    return np.bincount(cells, minlength=classes**2).reshape(classes, classes)
