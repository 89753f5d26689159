"""How sure the scores of one test split are: bootstrap over its rows, on counts alone.

Every score here is a function of the confusion matrix. Drawing n rows with replacement is drawing
how often each cell (true class, predicted class) comes: one multinomial draw, however many rows
there are.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

RESAMPLES = 1000
MOST_DRAWS = 1_000_000
"""Cells times resamples; with more, fewer resamples are drawn."""
FEWEST_RESAMPLES = 200
PERCENTILES = (2.5, 97.5)
"""Ends of a 95 % interval."""


@dataclass(frozen=True)
class Resampled:
    """Scores of every resample.

    Attributes:
        f1_macro: shape (B,).
        balanced_accuracy: mean recall over the classes that a resample has, shape (B,).
        accuracy: shape (B,).
        f1: of each class, 0 where it was neither there nor predicted, shape (B, K).
    """

    f1_macro: NDArray[np.float64]
    balanced_accuracy: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    f1: NDArray[np.float64]


def resample(y_true: NDArray[np.integer], y_pred: NDArray[np.integer], classes: int) -> Resampled:
    """Draws the rows of a split again and again, and scores each draw.

    Args:
        y_true: class numbers, shape (n,).
        y_pred: class numbers, shape (n,).
        classes: K.
    """
    rows = len(y_true)
    cells, counts = np.unique(np.asarray(y_true) * classes + y_pred, return_counts=True)
    true, predicted = np.divmod(cells, classes)
    resamples = min(RESAMPLES, max(FEWEST_RESAMPLES, MOST_DRAWS // len(cells)))
    rng = np.random.default_rng(0)
    draws = rng.multinomial(rows, counts / rows, size=resamples).astype(np.float64)
    support, given = draws @ _of_class(true, classes), draws @ _of_class(predicted, classes)
    right = true == predicted
    hits = draws[:, right] @ _of_class(true[right], classes)
    f1 = 2 * hits / np.maximum(support + given, 1)
    there = support > 0
    recall = hits / np.maximum(support, 1)
    return Resampled(
        f1_macro=f1.mean(axis=1),
        balanced_accuracy=(recall * there).sum(axis=1) / there.sum(axis=1),
        accuracy=hits.sum(axis=1) / rows,
        f1=f1,
    )


def _of_class(cells: NDArray[np.integer], classes: int) -> csr_array:
    """1 where a cell belongs to a class, shape (cells, K)."""
    rows = np.arange(len(cells))
    return csr_array((np.ones(len(cells)), (rows, cells)), shape=(len(cells), classes))


def interval(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The 95 % percentile interval over resamples (the first axis): its two ends."""
    ends: NDArray[np.float64] = np.percentile(values, PERCENTILES, axis=0)
    return ends
