"""The epoch of each decision, chosen on the validation split, and the worth of that choice.

The best of many epochs scores too well on the rows by which it was chosen, and so does a decision
on the rows that its offsets were tuned on. So each decision is also scored by cross-fitting: the
split is dealt into folds, and each fold is decided at the best epoch of the other folds and, for
the tuned decision, by offsets that were tuned on them.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax

from src.evaluation.calibration import log_loss
from src.evaluation.decision import decide, tune_offsets
from src.evaluation.reachable_f1 import ReachableF1

OWN_EPOCH = ("tuned", "prior")
"""Decisions whose epoch is chosen here; that of argmax is the one with the best validation F1."""
FOLDS = 5
DECIMALS = 12
"""Scores are rounded before they are compared: sums in another order differ by about 1e-15."""


class EpochChoice:
    """Follows a training by the logits of the validation split after each epoch.

    Args:
        y_val: class numbers, shape (n,).
        prior: offsets of the decision by prior, shape (K,).
    """

    def __init__(self, y_val: NDArray[np.integer], prior: NDArray[np.float64]) -> None:
        self._y = y_val
        self._classes = classes = len(prior)
        self._offsets = {"argmax": np.zeros(classes), "prior": prior}
        self._fold = deal(y_val, FOLDS)
        self._reachable = ReachableF1(y_val, self._fold, FOLDS, classes)
        self._state = {
            "tuned_score": np.full(FOLDS + 1, -1.0),  # without each fold, and of the whole split
            "tuned_epoch": np.zeros(FOLDS + 1, np.int64),  # with these scores
            "prior_epoch": np.zeros(1, np.int64),
        }
        for decision in self._offsets:
            self._state[f"{decision}_score"] = np.full(FOLDS + 1, -1.0)
            self._state[f"{decision}_counts"] = np.zeros((3, FOLDS, classes), np.int64)
        self._logits: dict[int, NDArray[np.floating]] = {}

    def add(self, epoch: int, logits: NDArray[np.floating]) -> set[str]:
        """Looks at an epoch, from 0, by its finite logits, shape (n, K).

        Returns:
            The decisions of ``OWN_EPOCH`` for which it is better than all before it.
        """
        better = {decision: self._fixed(decision, logits) for decision in self._offsets}
        better["tuned"] = _higher(self._reachable(logits), self._state["tuned_score"])
        self._state["tuned_epoch"][better["tuned"]] = epoch
        self._state["prior_epoch"][better["prior"][-1:]] = epoch
        kept = _epochs(self._state)
        known = {**self._logits, epoch: logits}
        self._logits = {number: one for number, one in known.items() if number in kept}
        return {decision for decision in OWN_EPOCH if better[decision][-1]}

    def log_loss(self, logits: NDArray[np.floating]) -> float:
        """Log loss of the whole split, in nats; the state stays as it is."""
        return log_loss(self._y, log_softmax(logits.astype(np.float64), axis=1))

    def _fixed(self, decision: str, logits: NDArray[np.floating]) -> NDArray[np.bool_]:
        """Scores a decision that is not tuned; where it is better than in all epochs before."""
        counts = self._counts((logits + self._offsets[decision]).argmax(axis=1))
        whole = counts.sum(axis=1, keepdims=True)
        others = np.concatenate([whole - counts, whole], axis=1)
        better = _higher(macro_f1_of_counts(*others), self._state[f"{decision}_score"])
        self._state[f"{decision}_counts"][:, better[:-1]] = counts[:, better[:-1]]
        return better

    def epoch(self, decision: str) -> int:
        """The best epoch for a decision of ``OWN_EPOCH``, counted from 1."""
        return int(self._state[f"{decision}_epoch"][-1]) + 1

    def logits(self, decision: str) -> NDArray[np.floating]:
        """Logits of the validation split in that epoch, shape (n, K)."""
        return self._logits[self.epoch(decision) - 1]

    def crossfit(self) -> dict[str, float]:
        """Macro F1 over all rows, each decided by what was chosen without its own fold.

        Returns:
            ``val_crossfit_f1_macro`` of argmax, ``val_tuned_crossfit_f1_macro`` and
            ``val_prior_crossfit_f1_macro``.

        Source: cross-fitting as in Chernozhukov et al. 2018, "Double/debiased machine learning".
        """
        said = np.zeros(len(self._y), np.int64)
        for number, epoch in enumerate(self._state["tuned_epoch"][:-1].tolist()):
            held, logits = self._fold == number, self._logits[epoch]
            if held.any():
                offsets = tune_offsets(self._y[~held], logits[~held])
                said[held] = decide(logits[held], offsets)
        counts = {
            "": self._state["argmax_counts"],
            "tuned_": self._counts(said),
            "prior_": self._state["prior_counts"],
        }
        return {
            f"val_{name}crossfit_f1_macro": float(macro_f1_of_counts(*of_fold.sum(axis=1)))
            for name, of_fold in counts.items()
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
            False, with nothing changed, where the state is that of another split.
        """
        if {*state} != {*self._state, "logits"} or any(
            (state[name].dtype, state[name].shape) != (one.dtype, one.shape)
            for name, one in self._state.items()
        ):
            return False
        seen = state["tuned_score"].max() >= 0
        epochs = sorted(_epochs(state)) if seen else []
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
    """Macro F1 from right decisions, all decisions and rows of each class, each of shape (..., K).

    Returns:
        Shape (...); a class that has no rows and is never chosen counts 0.
    """
    f1: NDArray[np.float64] = 2 * hits / np.maximum(given + support, 1)
    mean: NDArray[np.float64] = f1.mean(axis=-1)
    return mean


def _epochs(state: Mapping[str, NDArray[Any]]) -> set[int]:
    """The epochs whose logits are still needed."""
    return {epoch for name in OWN_EPOCH for epoch in state[f"{name}_epoch"].tolist()}


def _higher(scores: NDArray[np.float64], best: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which scores are above the best so far; there they replace it."""
    rounded = np.round(scores, DECIMALS)
    better: NDArray[np.bool_] = rounded > best
    best[better] = rounded[better]
    return better
