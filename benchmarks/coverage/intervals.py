"""The intervals that are held against each other, each from differences and their splits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import bootstrap, t

from src.analysis.statistics.design import Design
from src.analysis.statistics.estimate import estimate

RESAMPLES = 999
TEST_SHARE = 0.25
"""Rows of the test split over those of training and validation: 0.2 of 0.8."""

Interval = Callable[[Sequence[float], Sequence[str], bool], tuple[float, float]]
"""From differences in pp, the split of each, and whether the splits are of one table."""


@dataclass(frozen=True)
class Held:
    """How one interval does over many sets of seeds, in one situation.

    Attributes:
        ends: of each set's interval, shape (sets, 2), pp.
        truth: what they are to hold, pp: one number, or one a set.
    """

    ends: NDArray[np.float64]
    truth: float | NDArray[np.float64]

    @property
    def coverage(self) -> float:
        """Share of the intervals that hold the truth, 0 to 1."""
        low, high = self.ends.T
        return float(((low <= self.truth) & (self.truth <= high)).mean())

    @property
    def half_width(self) -> float:
        """Mean half of an interval's width, pp."""
        return float(np.diff(self.ends).mean() / 2)

    def better(self, gain: float = 0.0) -> float:
        """Share that would be called better, were the true difference ``gain`` pp."""
        return float((self.ends[:, 0] - self.truth + gain > 0).mean())

    def __str__(self) -> str:
        return f"{100 * self.coverage:.1f} % ({self.half_width:.1f})"


def bca(differences: Sequence[float], splits: Sequence[str], table: bool) -> tuple[float, float]:
    """Efron's bias-corrected and accelerated bootstrap of the mean, by scipy."""
    if np.ptp(differences) == 0:
        return differences[0], differences[0]
    rng = np.random.default_rng(0)
    found = bootstrap((differences,), np.mean, n_resamples=RESAMPLES, method="BCa", rng=rng)
    return float(found.confidence_interval.low), float(found.confidence_interval.high)


def student(
    differences: Sequence[float], splits: Sequence[str], table: bool
) -> tuple[float, float]:
    """Student's t of the differences, as if they had nothing in common."""
    return _t(differences, 1 / len(differences))


def nadeau_bengio(
    differences: Sequence[float], splits: Sequence[str], table: bool
) -> tuple[float, float]:
    """The corrected resampled t interval (Nadeau and Bengio 2003, equation 8); t on fresh data."""
    return _t(differences, 1 / len(differences) + (TEST_SHARE if table else 0))


def ours(differences: Sequence[float], splits: Sequence[str], table: bool) -> tuple[float, float]:
    """The project's."""
    design = Design("table", test_share=TEST_SHARE) if table else Design()
    found = estimate(differences, splits, design)
    return found.low, found.high


def _t(differences: Sequence[float], factor: float) -> tuple[float, float]:
    mean, variance = np.mean(differences), np.var(differences, ddof=1) * factor
    half = float(t.ppf(0.975, len(differences) - 1) * np.sqrt(variance))
    return float(mean - half), float(mean + half)


INTERVALS: dict[str, Interval] = {
    "BCa bootstrap": bca,
    "Student's t": student,
    "Nadeau-Bengio": nadeau_bengio,
    "this project": ours,
}
