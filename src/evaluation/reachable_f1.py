"""The macro F1 that a tuned decision could reach: the score by which its epoch is chosen."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax

Floats = NDArray[np.float64]


class ReachableF1:
    """Scores the logits of a split, whole and without each of its folds, in one pass.

    With two classes it is the macro F1 at the best of all thresholds, which
    :func:`src.evaluation.decision.tune_offsets` reaches. With more, the search for offsets takes
    too long to be made for every epoch; each class is thresholded apart from the others there, on
    its log-probability, and the best F1 of each is averaged (Lipton et al. 2014, "Optimal
    thresholding of classifiers to maximize F1 measure"). A pass sorts each class's column once.

    Args:
        y_true: class numbers, shape (n,).
        fold: of each row, from 0, shape (n,).
        folds: how many there are.
        classes: K.
    """

    def __init__(
        self, y_true: NDArray[np.integer], fold: NDArray[np.integer], folds: int, classes: int
    ) -> None:
        self._classes = classes
        self._rows = [np.flatnonzero(fold == number) for number in range(folds)]
        self._own = [[rows[y_true[rows] == k] for rows in self._rows] for k in range(classes)]

    def __call__(self, logits: NDArray[np.floating]) -> Floats:
        """The score without each fold, and of the whole split, shape (folds + 1,).

        Args:
            logits: all finite, shape (n, K).
        """
        if self._classes == 2:
            margin = logits[:, 1].astype(np.float64) - logits[:, 0]
            return self._two_classes(margin, [np.sort(margin[rows]) for rows in self._rows])
        columns = np.ascontiguousarray(log_softmax(logits, axis=1).T)
        parts = [np.sort(columns[:, rows], axis=1) for rows in self._rows]
        total = np.zeros(len(self._rows) + 1)
        for k, column in enumerate(columns):
            hits, given = self._at_own_rows(k, column, [part[k] for part in parts])
            if hits.size:
                total += (2 * hits / np.maximum(given + hits[:, -1:], 1)).max(axis=1)
        return total / self._classes

    def _two_classes(self, margin: Floats, parts: Sequence[Floats]) -> Floats:
        hits, given = self._at_own_rows(1, margin, parts)
        # Ahead of them: a threshold that gives no row to class 1.
        hits, given = (np.pad(counts, ((0, 0), (1, 0))) for counts in (hits, given))
        rows = _without_each([[len(part)] for part in parts])
        support = hits[:, -1:]
        rejected = rows - given  # of class 0 are the rejected rows less class 1's among them
        one = 2 * hits / np.maximum(given + support, 1)
        other = 2 * (rejected - support + hits) / np.maximum(rejected + rows - support, 1)
        best: Floats = ((one + other) / 2).max(axis=1)
        return best

    def _at_own_rows(
        self, k: int, column: NDArray[np.floating], parts: Sequence[NDArray[np.floating]]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Hits of a class, and rows given to it, with the threshold at each of its own rows.

        No other threshold is better: F1 falls with each row of another class that is given to it.

        Args:
            k: the class.
            column: scores of all rows, shape (n,).
            parts: the same by fold, sorted.

        Returns:
            Both of shape (folds + 1, rows of the class), highest threshold first.
        """
        own = [np.sort(column[rows]) for rows in self._own[k]]
        cuts = np.sort(np.concatenate(own))[::-1]
        hits, given = (
            _without_each([len(part) - np.searchsorted(part, cuts) for part in of_rows])
            for of_rows in (own, parts)
        )
        return hits, given


def _without_each(counts: list[NDArray[np.int64]] | list[list[int]]) -> NDArray[np.int64]:
    """Sums over all folds but one, for each, then over all: (folds, ...) to (folds + 1, ...)."""
    by_fold = np.asarray(counts)
    whole = by_fold.sum(axis=0, keepdims=True)
    return np.concatenate([whole - by_fold, whole])
