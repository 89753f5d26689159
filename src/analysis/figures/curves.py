"""Curves from predictions: precision and recall of one class, and reliability."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, confusion_matrix, precision_recall_curve

from src.analysis.figures.evidence import Predictions
from src.evaluation.calibration import BINS

RECALLS = np.linspace(0, 1, 101)
ROUNDING = 1e-12

Floats = NDArray[np.float64]


def mean_precision(runs: Sequence[Predictions], k: int) -> tuple[Floats, float]:
    """The precision that can be had at each recall of ``RECALLS``, averaged over runs.

    Class ``k`` is held against the others together; each run is one seed.

    Returns:
        Mean over runs of the best precision at that recall or a higher one, and the mean average
        precision; an empty array and NaN where no run has an example of the class.
    """
    curves, areas = [], []
    for one in runs:
        positive, scores = one.y_true == k, one.probabilities[:, k]
        if positive.any():
            precision, recall, _ = precision_recall_curve(positive, scores)
            best = np.maximum.accumulate(precision[:-1])[::-1]  # at this recall or more
            curves.append(best[np.searchsorted(recall[-2::-1], RECALLS - ROUNDING)])
            areas.append(average_precision_score(positive, scores))
    if not curves:
        return np.empty(0), float("nan")
    return np.mean(curves, axis=0), float(np.mean(areas))


def reliability(runs: Sequence[Predictions]) -> tuple[Floats, Floats, Floats]:
    """Confidence against accuracy, in bins of equal width over all runs together.

    Returns:
        Mean confidence, accuracy (of the most probable class), and share of the examples, for
        each bin that has any.
    """
    confidence = np.concatenate([one.probabilities.max(axis=1) for one in runs])
    right = np.concatenate([one.probabilities.argmax(axis=1) == one.y_true for one in runs])
    known = np.isfinite(confidence)
    confidence, right = confidence[known], right[known]
    index = np.clip(np.ceil(confidence * BINS).astype(int) - 1, 0, BINS - 1)
    counts, sums, hits = (
        np.bincount(index, weights, BINS) for weights in (np.ones(len(index)), confidence, right)
    )
    full = counts > 0
    sizes = counts[full]
    return sums[full] / sizes, hits[full] / sizes, sizes / max(counts.sum(), 1)


def confusion(runs: Sequence[Predictions]) -> NDArray[np.int64]:
    """Counts over all runs, shape (K, K): rows are true classes, columns predicted ones."""
    y_true = np.concatenate([one.y_true for one in runs])
    y_pred = np.concatenate([one.y_pred for one in runs])
    classes = np.arange(runs[0].probabilities.shape[1])
    counts: NDArray[np.int64] = confusion_matrix(y_true, y_pred, labels=classes)
    return counts
