"""The mean of paired differences, and how far it may be from what all seeds would give.

A difference d_ij belongs to a split i and a training seed j. Its variance has two parts: s_t², by
the training seed alone, and s_s², by the split. More seeds shrink both; but re-splits of one table
share most of their rows, and from what they share no number of seeds frees the mean. A few splits
say little of s_s²; so training noise alone counts as what one more split has shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtr, stdtrit

from src.analysis.statistics.anytime import anytime_p, anytime_quantile
from src.analysis.statistics.design import Design

LEVEL = 0.05
"""Intervals are of 95 %, and a value with a p of at most this is ruled out."""
MOST_SEEDS = 1000
"""The most seeds that are ever asked for."""
PRIOR_SPLITS = 1
"""Number of splits that training noise counts as; with few splits it says more than they do."""


@dataclass(frozen=True)
class Estimate:
    """A mean difference with its standard error, percentage points.

    Attributes:
        mean: over the seeds.
        standard_error: of the mean, for what it is an estimate of; NaN with one seed.
        df: degrees of freedom of the standard error.
        floor: half the width of the interval that ever more seeds would leave; 0 for fresh
            samples; NaN where all seeds share one split, from which no other can be judged.
        training_sd: standard deviation of a difference by the training seed alone; NaN where no
            split has two.
        seeds: how many differences there are.
        splits: how many of their splits differ.
        parts: of the variance of the differences, moderated.
        design: how the splits came about.
        anytime: whether interval and p hold however often one has looked, seed after seed.
    """

    mean: float
    standard_error: float
    df: float
    floor: float
    training_sd: float
    seeds: int
    splits: int
    parts: "Components"
    design: Design = field(default_factory=Design)
    anytime: bool = False

    @property
    def low(self) -> float:
        """Lower end of the 95 % interval; NaN with one seed."""
        return self.mean - self._half_width

    @property
    def high(self) -> float:
        """Upper end of the interval."""
        return self.mean + self._half_width

    @property
    def _half_width(self) -> float:
        if self.standard_error == 0:
            return 0.0
        return float(_quantile(np.array(self.df), LEVEL, self.anytime)) * self.standard_error

    def p_at(self, value: float) -> float:
        """Two-sided p of the true mean being a value (percentage points); 1 with one seed."""
        if np.isnan(self.standard_error) or self.mean == value:
            return 1.0
        if self.standard_error == 0:
            return 0.0
        statistic = (self.mean - value) / self.standard_error
        if self.anytime:
            return anytime_p(statistic, self.df)
        return float(2 * stdtr(self.df, -abs(statistic)))

    def probability_above(self, value: float) -> float:
        """Probability of a true mean above a value (percentage points), from the t posterior.

        Under the prior that prefers no mean and no scale, the posterior of the mean is Student's t
        at ``mean`` with scale ``standard_error`` (Benavoli et al. 2017, with their correlated t
        test's variance replaced by this one).
        """
        if self.standard_error == 0:
            return float(self.mean > value)
        return float(stdtr(self.df, (self.mean - value) / self.standard_error))

    def seeds_needed(self, margin: float, comparisons: int = 1) -> int | None:
        """The fewest seeds, in whole rounds of splits, whose interval is narrow enough.

        Args:
            margin: the most that half of its width may be, percentage points.
            comparisons: how many are made together: each has its part of the 5 %.

        Returns:
            None where more than ``MOST_SEEDS`` would be needed, or where no number would do.
        """
        if np.isnan(self.standard_error):
            return None
        first, step = self.design.plan(self.seeds), self.design.a_round
        counts = np.arange(first, MOST_SEEDS + 1, step, dtype=np.float64)
        if not counts.size:
            return None
        variance, df = variance_of_mean(self.parts, self.design, counts)
        half_width = _quantile(df, LEVEL / comparisons, self.anytime) * np.sqrt(variance)
        enough = half_width <= margin
        return int(counts[enough.argmax()]) if enough.any() else None


@dataclass(frozen=True)
class Components:
    """A one-way analysis of variance of the differences, by split.

    Attributes:
        between: mean square between splits; with one split that within.
        within: mean square within splits; 0 where no split has two seeds.
        per_split: seeds a split, the mean that makes E(between) = s_t² + per_split s_s² true.
        seeds: n.
        splits: J.
    """

    between: float
    within: float
    per_split: float
    seeds: float
    splits: float

    @property
    def between_splits(self) -> float:
        """The variance s_s² between splits, at least 0."""
        return max(0.0, self.between - self.within) / self.per_split

    def moderated(self, spread: float) -> "Components":
        """The components with training noise counted as ``PRIOR_SPLITS`` more splits.

        Args:
            spread: s_s² of these splits, as a share of s_t².
        """
        if self.splits in (1, self.seeds):
            return self
        more = PRIOR_SPLITS * (1 + self.per_split * spread) * self.within
        seen = self.splits - 1
        return replace(self, between=(seen * self.between + more) / (seen + PRIOR_SPLITS))


def estimate(
    differences: Sequence[float], splits: Sequence[str], design: Design, *, anytime: bool = False
) -> Estimate:
    """Estimates the mean difference for what the design says that it is about.

    Args:
        differences: one per seed, percentage points.
        splits: fingerprint of the split of each.
        design: how these splits came about.
        anytime: for an interval that holds however often one looks.
    """
    values = np.asarray(differences, np.float64)
    parts, n = components(values, splits).moderated(design.spread), len(values)
    variance, df = variance_of_mean(parts, design, np.array([float(n)]))
    endless = variance_of_mean(parts, design, np.array([np.inf]))[0]
    several = parts.splits > 1 or design.estimand == "trainings"
    return Estimate(
        mean=float(values.mean()),
        standard_error=float(np.sqrt(variance[0])) if n > 1 else float("nan"),
        df=float(df[0]),
        floor=float(ndtri(1 - LEVEL / 2) * np.sqrt(endless[0])) if several else float("nan"),
        training_sd=float(np.sqrt(parts.within)) if parts.seeds > parts.splits else float("nan"),
        seeds=n,
        splits=int(parts.splits),
        parts=parts,
        design=design,
        anytime=anytime,
    )


def components(values: NDArray[np.float64], splits: Sequence[str]) -> Components:
    """The analysis of variance; splits may have any number of seeds.

    Args:
        values: differences, shape (n,), n > 1.
        splits: fingerprint of the split of each.
    """
    index = np.unique(np.asarray(splits), return_inverse=True)[1]
    counts = np.bincount(index)
    means = np.bincount(index, values) / counts
    n, groups = len(values), len(counts)
    within = float(((values - means[index]) ** 2).sum()) / max(1, n - groups)
    squares = float((counts * (means - values.mean()) ** 2).sum())
    between = squares / (groups - 1) if groups > 1 else within
    per_split = (n - float((counts**2).sum()) / n) / (groups - 1) if groups > 1 else float(n)
    return Components(between, within, per_split, n, groups)


def variance_of_mean(
    parts: Components, design: Design, seeds: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Variance of the mean, s_s² (1/J + test_share) + s_t²/n, and its degrees of freedom.

    Over the splits that were seen it is the mean square between them over n, as for Student's t on
    the means of the splits. Nadeau and Bengio (2003) add the test share for what re-splits have in
    common; here it applies to s_s² alone, for training seeds have nothing in common. Moderating a
    variance, and its degrees of freedom, by what is known beside it is Smyth's (2004).

    Args:
        parts: of the differences, moderated.
        design: of their splits.
        seeds: numbers of seeds, each at least that of the parts: with more, splits become more
            as long as there are others, and a split has more seeds from then on.
    """
    of_split, grown = parts.between_splits, seeds / parts.seeds
    most = max(1.0, design.most_splits / parts.splits) if parts.splits > 1 else 1.0
    splits = np.minimum(grown, most)
    noise = (parts.between - parts.per_split * of_split) / seeds
    variance = noise + of_split * (parts.per_split / parts.seeds / splits + design.test_share)
    prior = PRIOR_SPLITS if parts.seeds > parts.splits else 0
    df = splits * parts.splits - 1 + prior if parts.splits > 1 else seeds - 1
    return variance, df


def _quantile(df: NDArray[np.float64], level: float, anytime: bool) -> NDArray[np.float64]:
    """Standard errors from the mean to either end of an interval that misses in ``level``."""
    return anytime_quantile(df, level) if anytime else stdtrit(df, 1 - level / 2)
