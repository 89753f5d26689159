"""The decision after training: class offsets that maximise macro F1 on the validation split.

With two classes the one offset that matters is a threshold on the log-odds.

Argmax is the right decision for accuracy, not for macro F1 on imbalanced data. A loss that shifts
its outputs towards rare classes then wins by the place of its threshold alone; with the decision
tuned for every loss alike, it has to win by how it ranks.
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
    scores = logits.astype(np.float64)
    support = np.bincount(y_true, minlength=classes)
    order = [1] if classes == 2 else np.argsort(support, kind="stable").tolist()
    most = 1 if classes == 2 else MOST_PASSES * classes
    stayed = 0
    for k in islice(cycle(order), most):
        found = _best_offset(y_true, scores + offsets, k, offsets[k])
        stayed = stayed + 1 if found == offsets[k] else 0
        offsets[k] = found
        if stayed == classes:
            break
    return offsets


def _best_offset(y_true: Labels, shifted: NDArray[np.float64], k: int, now: float) -> float:
    """The offset of one class with the highest macro F1, the others staying as they are.

    Args:
        y_true: shape (n,).
        shifted: scores with today's offsets, shape (n, K).
        k: the class.
        now: its offset today, which ``shifted`` holds.
    """
    others = shifted.copy()
    others[:, k] = -np.inf
    rival = others.argmax(axis=1)
    lead = shifted[:, k] - others.max(axis=1)
    order = np.argsort(-lead, kind="stable")
    steps = np.append(np.flatnonzero(np.diff(lead[order])) + 1, len(order))
    f1 = _f1_by_converts(y_true[order], rival[order], k, shifted.shape[1])
    sorted_lead = lead[order]
    converts = np.concatenate([[0], steps])  # the first so many examples are given to the class
    thresholds = np.empty(len(converts))
    thresholds[0], thresholds[-1] = sorted_lead[0] + 1, sorted_lead[-1] - 1
    thresholds[1:-1] = (sorted_lead[steps[:-1] - 1] + sorted_lead[steps[:-1]]) / 2
    today = f1[int((shifted.argmax(axis=1) == k).sum())]
    best = f1[converts].max()
    if best <= today + GAIN:
        return now
    good = thresholds[f1[converts] >= best - GAIN]
    return float(now - good[np.abs(good).argmin()])


def _f1_by_converts(
    y_true: Labels, rival: NDArray[np.intp], k: int, classes: int
) -> NDArray[np.float64]:
    """Macro F1 when the first c examples are given to class k and the others to their rivals.

    Returns:
        Shape (n + 1,), for c = 0..n.
    """
    support = np.bincount(y_true, minlength=classes)
    by_rival = np.argsort(rival, kind="stable")
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
