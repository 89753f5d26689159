"""The decision after training: class offsets by validation, or by how frequent the classes are.

With two classes the one offset that matters is a threshold on the log-odds.

Argmax is the right decision for accuracy, not for macro F1 on imbalanced data. A loss that shifts
its outputs towards rare classes then wins by where its threshold is; with the decision tuned for
every loss alike, it has to win by how it ranks.
"""

from itertools import cycle, islice

import numpy as np
from numpy.typing import NDArray

from src.errors import UserError

MOST_PASSES = 10
"""Rounds over the classes; F1 rises in each but the last, so few are ever needed."""
GAIN = 1e-10
"""A rise in F1 below this is rounding, and counts as a tie."""

Labels = NDArray[np.integer]
Floats = NDArray[np.floating]


def check_finite(logits: Floats) -> None:
    """Refuses scores from which no class follows: argmax would take the first class for NaN.

    Args:
        logits: shape (n, K).

    Raises:
        UserError: names the first such row.
    """
    finite = np.isfinite(logits).all(axis=1)
    if not finite.all():
        raise UserError(
            f"scores of row {int(finite.argmin())}: NaN or infinite, so that no class follows; the "
            "model that gave them has diverged in training"
        )


def decide(logits: Floats, offsets: Floats) -> NDArray[np.intp]:
    """The class with the largest logit after its offset; of equals the first.

    Args:
        logits: or log-probabilities, all finite, shape (n, K).
        offsets: of the classes, shape (K,); zeros give argmax.

    Raises:
        UserError: where a logit is not finite.
    """
    check_finite(logits)
    chosen: NDArray[np.intp] = (logits.astype(np.float64) + offsets).argmax(axis=1)
    return chosen


def tune_offsets(y_true: Labels, logits: Floats) -> NDArray[np.float64]:
    """Offsets on the log-probabilities that maximise macro F1.

    With all offsets but one fixed, macro F1 is a step function of that one: it changes where an
    example goes over to the class. The best step is found exactly, by trying every one. Two classes
    have one offset that matters, so one search over all thresholds ends it; more classes are
    searched in turn, rarest first, until none of them moves (coordinate ascent, a local maximum).
    An offset moves only for a rise in F1, and of equally good ones the least move wins.

    Args:
        y_true: class numbers of the validation split, shape (n,).
        logits: of the validation split, shape (n, K).

    Returns:
        Shape (K,). With K = 2 the first is 0, and class 1 is chosen where its log-odds exceed
        minus the second.

    Raises:
        UserError: where a logit is not finite.
    """
    check_finite(logits)
    classes = logits.shape[1]
    offsets = np.zeros(classes)
    scores = _BestTwo(logits)
    support = np.bincount(y_true, minlength=classes)
    order = [1] if classes == 2 else np.argsort(support, kind="stable").tolist()
    most = 1 if classes == 2 else MOST_PASSES * classes
    stayed = 0
    for k in islice(cycle(order), most):
        found = _best_offset(y_true, scores, k, offsets[k])
        stayed = stayed + 1 if found == offsets[k] else 0
        if found != offsets[k]:
            scores.move(k, found)
            offsets[k] = found
        if stayed == classes:
            break
    return offsets


def prior_offsets(class_counts: NDArray[np.integer], tau: float = 1.0) -> NDArray[np.float64]:
    """Offsets that take the classes' prior out of the logits: post-hoc logit adjustment.

    argmax_k f_k(x) - tau log pi_k, with pi_k the share of class k among the rows trained on.
    Nothing is tuned. With tau = 1 and logits that are log p(k | x) up to a constant of the row, it
    is the decision with the highest mean recall (balanced accuracy); macro F1 has no part in it.

    Args:
        class_counts: rows of each class that the model was trained on, shape (K,); a class without
            any counts as if it had one.
        tau: 0 gives argmax.

    Returns:
        Shape (K,).

    Source: Menon et al. 2021, "Long-tail learning via logit adjustment", ICLR, equation (9).
    """
    counts = np.maximum(class_counts, 1).astype(np.float64)
    return -tau * np.log(counts / counts.sum())


class _BestTwo:
    """The two best classes of each row as offsets move; of equals the first.

    A move changes them in few rows, so not all scores, of shape (n, K), are read again: with 1,000
    classes and 10,000 rows that would take thirty times as long.
    """

    def __init__(self, scores: Floats) -> None:
        count, self.classes = scores.shape
        self._by_row, self._by_class = scores, np.ascontiguousarray(scores.T)
        self._offsets = np.zeros(self.classes)
        self._best = np.empty((2, count), np.min_scalar_type(self.classes))
        self._values = np.empty((2, count))
        self._find(np.arange(count))

    def _shifted(self, k: int) -> NDArray[np.float64]:
        shifted: NDArray[np.float64] = self._by_class[k].astype(np.float64) + self._offsets[k]
        return shifted

    def _find(self, rows: NDArray[np.intp]) -> None:
        shifted, all_rows = self._by_row[rows] + self._offsets, np.arange(len(rows))
        for rank in range(2):
            best = shifted.argmax(axis=1)
            self._best[rank, rows] = best
            self._values[rank, rows] = shifted[all_rows, best]
            shifted[all_rows, best] = -np.inf

    def move(self, k: int, offset: float) -> None:
        """Gives a class another offset."""
        self._offsets[k] = offset
        entered = self._shifted(k) >= self._values[1]
        self._find(np.flatnonzero((self._best == k).any(axis=0) | entered))

    def against(self, k: int) -> tuple[Labels, NDArray[np.float64], NDArray[np.bool_]]:
        """The best other class of each row, how far k leads it, and whether k is chosen."""
        chosen = self._best[0] == k
        rival, value = (np.where(chosen, two[1], two[0]) for two in (self._best, self._values))
        return rival, self._shifted(k) - value, chosen


def _best_offset(y_true: Labels, scores: _BestTwo, k: int, now: float) -> float:
    """The offset of class k, NOW today, with the highest macro F1 while the others stay."""
    rival, lead, chosen = scores.against(k)
    order = np.argsort(-lead)
    if not np.diff(lead[order]).all():  # of equals, which are rare, the first comes first
        order = np.argsort(-lead, kind="stable")
    sorted_lead = lead[order]
    steps = np.append(np.flatnonzero(np.diff(sorted_lead)) + 1, len(order))
    f1 = _f1_by_converts(y_true[order], rival[order], k, scores.classes)
    converts = np.concatenate([[0], steps])  # the first so many examples are given to the class
    thresholds = np.empty(len(converts))
    thresholds[0], thresholds[-1] = sorted_lead[0] + 1, sorted_lead[-1] - 1
    thresholds[1:-1] = (sorted_lead[steps[:-1] - 1] + sorted_lead[steps[:-1]]) / 2
    today = f1[int(chosen.sum())]
    best = f1[converts].max()
    if best <= today + GAIN:
        return now
    good = thresholds[f1[converts] >= best - GAIN]
    return float(now - good[np.abs(good).argmin()])


def _f1_by_converts(y_true: Labels, rival: Labels, k: int, classes: int) -> NDArray[np.float64]:
    """Macro F1 when the first c examples are given to class k and the others to their rivals.

    Returns:
        Shape (n + 1,), for c = 0..n.
    """
    support = np.bincount(y_true, minlength=classes)
    by_rival = np.argsort(rival.astype(np.min_scalar_type(classes)), kind="stable")  # by radix
    groups = rival[by_rival]
    first = np.flatnonzero(np.diff(groups, prepend=-1))
    sizes = np.diff(np.append(first, len(groups)))
    right = (y_true == rival)[by_rival]
    kept = np.repeat(first + sizes, sizes) - np.arange(len(groups))  # rivals' own, this one too
    hits = np.cumsum(right[::-1])[::-1]
    hits = hits - np.repeat(np.append(hits, 0)[first + sizes], sizes)
    given = 2 * hits / (kept + support[groups])
    left = 2 * (hits - right) / np.maximum(kept - 1 + support[groups], 1)
    change = np.empty(len(groups))
    change[by_rival] = left - given
    rivals = np.concatenate([[0], np.cumsum(change)]) + given[first].sum()
    counts = np.arange(len(y_true) + 1)
    own_hits = np.concatenate([[0], np.cumsum(y_true == k)])
    own = 2 * own_hits / np.maximum(counts + support[k], 1)
    mean: NDArray[np.float64] = (rivals + own) / classes
    return mean
