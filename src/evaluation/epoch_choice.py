"""The epoch of each decision, chosen on the validation split, and the worth of that choice.

The best of many epochs scores too well on the rows by which it was chosen, and so does a decision
on the rows that its offsets were tuned on. So either decision is also scored by cross-fitting: the
split is dealt into folds, and each fold is decided as the other folds alone would have it: at their
best epoch, and by offsets tuned on them.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from src.evaluation.decision import decide, tune_offsets
from src.evaluation.reachable_f1 import ReachableF1

FOLDS = 5
DECIMALS = 12
"""Of scores that are compared: sums in another order differ by some 1e-15, a row by far more."""


class EpochChoice:
    """Follows a training by the logits of the validation split after each epoch.

    Args:
        y_val: class numbers, shape (n,).
        classes: K.
    """

    def __init__(self, y_val: NDArray[np.integer], classes: int) -> None:
        self._y = y_val
        self._classes = classes
        self._fold = deal(y_val, FOLDS)
        self._reachable = ReachableF1(y_val, self._fold, FOLDS, classes)
        self._state = {
            "argmax_score": np.full(FOLDS, -1.0),  # of all folds but one, at their best epoch
            "argmax_counts": np.zeros((3, FOLDS, classes), np.int64),  # of that one, there
            "tuned_score": np.full(FOLDS + 1, -1.0),  # the last is of all folds
            "tuned_epoch": np.zeros(FOLDS + 1, np.int64),
        }
        self._logits: dict[int, NDArray[np.floating]] = {}

    def add(self, epoch: int, logits: NDArray[np.floating]) -> bool:
        """Looks at an epoch; of equally good ones the first stays.

        Args:
            epoch: counted from 0.
            logits: all finite, shape (n, K).

        Returns:
            Whether it is the best one so far for the tuned decision.
        """
        counts = self._counts(logits.argmax(axis=1))
        others = counts.sum(axis=1, keepdims=True) - counts
        better = _higher(macro_f1_of_counts(*others), self._state["argmax_score"])
        self._state["argmax_counts"][:, better] = counts[:, better]
        better = _higher(self._reachable(logits), self._state["tuned_score"])
        if better.any():
            self._state["tuned_epoch"][better] = epoch
            kept = {*self._state["tuned_epoch"].tolist()}
            known = {**self._logits, epoch: logits}
            self._logits = {number: one for number, one in known.items() if number in kept}
        return bool(better[-1])

    @property
    def tuned_epoch(self) -> int:
        """The best epoch for the tuned decision, counted from 1."""
        return int(self._state["tuned_epoch"][-1]) + 1

    @property
    def tuned_logits(self) -> NDArray[np.floating]:
        """Of the validation split, in that epoch."""
        return self._logits[self.tuned_epoch - 1]

    def crossfit(self) -> dict[str, float]:
        """Macro F1 over all rows, each decided by what was chosen without its own fold.

        Returns:
            ``val_crossfit_f1_macro`` of argmax, and ``val_tuned_crossfit_f1_macro``.

        Source: cross-fitting as in Chernozhukov et al. 2018, "Double/debiased machine learning".
        """
        said = np.zeros(len(self._y), np.int64)
        for number, epoch in enumerate(self._state["tuned_epoch"][:-1].tolist()):
            held, logits = self._fold == number, self._logits[epoch]
            if held.any():
                offsets = tune_offsets(self._y[~held], logits[~held])
                said[held] = decide(logits[held], offsets)
        argmax, tuned = self._state["argmax_counts"], self._counts(said)
        return {
            "val_crossfit_f1_macro": float(macro_f1_of_counts(*argmax.sum(axis=1))),
            "val_tuned_crossfit_f1_macro": float(macro_f1_of_counts(*tuned.sum(axis=1))),
        }

    def _counts(self, said: NDArray[np.integer]) -> NDArray[np.int64]:
        """Hits, decisions and rows of each class in each fold, shape (3, FOLDS, K)."""
        size = FOLDS * self._classes
        right, first = said == self._y, self._fold * self._classes
        cells = (first + said)[right], first + said, first + self._y
        return np.array([np.bincount(one, minlength=size) for one in cells]).reshape(3, FOLDS, -1)

    def state(self) -> dict[str, NDArray[Any]]:
        """All that was seen, as arrays by name."""
        shape = len(self._logits), len(self._y), self._classes
        kept = [self._logits[epoch] for epoch in sorted(self._logits)]
        copies = {name: one.copy() for name, one in self._state.items()}
        return copies | {"logits": np.array(kept, np.float32).reshape(shape)}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> bool:
        """Goes on from what :meth:`state` gave.

        Returns:
            False where it is of no such split; nothing is changed then.
        """
        if {*state} != {*self._state, "logits"} or any(
            (state[name].dtype, state[name].shape) != (one.dtype, one.shape)
            for name, one in self._state.items()
        ):
            return False
        seen = state["tuned_score"].max() >= 0
        epochs = np.unique(state["tuned_epoch"]).tolist() if seen else []
        shape = len(epochs), len(self._y), self._classes
        if (state["logits"].dtype, state["logits"].shape) != (np.float32, shape):
            return False
        self._state = {name: state[name] for name in self._state}
        self._logits = dict(zip(epochs, state["logits"], strict=True))
        return True


def deal(y_true: NDArray[np.integer], folds: int) -> NDArray[np.int64]:
    """A fold for each row: the n-th row of class k goes to fold (n + k) mod folds."""
    order = np.argsort(y_true, kind="stable")
    starts = np.searchsorted(y_true[order], y_true[order], side="left")
    fold = np.empty(len(y_true), np.int64)
    fold[order] = (np.arange(len(y_true)) - starts + y_true[order]) % folds
    return fold


def macro_f1_of_counts(
    hits: NDArray[np.integer], given: NDArray[np.integer], support: NDArray[np.integer]
) -> NDArray[np.float64]:
    """Macro F1 from counts of each class: right decisions, all decisions, and rows.

    Args:
        hits: shape (..., K).
        given: shape (..., K).
        support: shape (..., K).

    Returns:
        Shape (...); a class neither there nor decided for counts 0.
    """
    f1: NDArray[np.float64] = 2 * hits / np.maximum(given + support, 1)
    mean: NDArray[np.float64] = f1.mean(axis=-1)
    return mean


def _higher(scores: NDArray[np.float64], best: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Where scores are above the best so far, which they replace there."""
    rounded = np.round(scores, DECIMALS)
    better: NDArray[np.bool_] = rounded > best
    best[better] = rounded[better]
    return better
