"""How sure a mean of paired differences is: interval, test, and the seeds that a claim needs."""

from collections.abc import Sequence

import numpy as np
from scipy.stats import bootstrap, t, wilcoxon

CONFIDENCE = 0.95
LEVEL = 1 - CONFIDENCE
RESAMPLES = 9999
BOOTSTRAP_SEED = 0
"""The interval is computed by resampling; a fixed seed makes it the same each time."""
ROUNDING = 9
"""Decimals of a difference in percentage points; beyond them ties are broken by rounding alone."""
MOST_SEEDS = 1000
"""The most seeds that are ever asked for."""


def interval(differences: Sequence[float]) -> tuple[float, float]:
    """BCa bootstrap interval of a mean.

    Args:
        differences: one per seed.

    Returns:
        Both ends; NaN with fewer than two values, the value itself where all are equal.
    """
    values = np.asarray(differences, np.float64)
    if len(values) < 2:
        return float("nan"), float("nan")
    if np.ptp(values) == 0:
        return float(values[0]), float(values[0])
    found = bootstrap(
        (values,),
        np.mean,
        confidence_level=CONFIDENCE,
        n_resamples=RESAMPLES,
        method="BCa",
        rng=np.random.default_rng(BOOTSTRAP_SEED),
    ).confidence_interval
    return float(found.low), float(found.high)


def wilcoxon_p(differences: Sequence[float]) -> float:
    """Two-sided p of Wilcoxon's signed-rank test, as scipy computes it.

    Args:
        differences: one per seed, percentage points.

    Returns:
        1 where all differences are 0.
    """
    values = np.round(np.asarray(differences, np.float64), ROUNDING)
    return float(wilcoxon(values).pvalue) if values.any() else 1.0


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down correction: the i-th smallest of m is multiplied by m - i + 1.

    Args:
        p_values: one a comparison.

    Returns:
        Corrected values in the same order, at most 1, none below that of a smaller p.

    Source: Holm 1979, "A Simple Sequentially Rejective Multiple Test Procedure".
    """
    values = np.asarray(p_values, np.float64)
    order = np.argsort(values, kind="stable")
    times = values[order] * np.arange(len(values), 0, -1)
    corrected = np.empty_like(values)
    corrected[order] = np.minimum(1.0, np.maximum.accumulate(times))
    return corrected.tolist()


def least_seeds(comparisons: int = 1) -> int:
    """The fewest seeds with which Wilcoxon's test can reach p < 0.05 after Holm's correction.

    With n seeds all on one side, p = 2 / 2^n, its least; Holm multiplies the smallest p by the
    number of comparisons. One comparison needs 6 seeds.
    """
    seeds = 1
    while comparisons * 2.0 ** (1 - seeds) >= LEVEL:
        seeds += 1
    return seeds


def seeds_needed(differences: Sequence[float], comparisons: int = 1) -> int | None:
    """With how many seeds a mean like this one, at this spread, could be told from 0.

    Args:
        differences: one per seed.
        comparisons: how many are made together.

    Returns:
        The least n that is enough for Wilcoxon's test and for which the half-width of the t
        interval, t(0.975, n - 1) sd / sqrt(n), is below the mean's size. None where that is more
        than ``MOST_SEEDS``. With one seed the spread is unknown, and the first condition decides.
    """
    seeds = max(2, least_seeds(comparisons))
    values = np.asarray(differences, np.float64)
    if len(values) < 2:
        return seeds
    mean, spread = abs(values.mean()), values.std(ddof=1)
    if round(mean, ROUNDING) == 0:
        return None
    counts = np.arange(seeds, MOST_SEEDS + 1)
    enough = t.ppf(1 - LEVEL / 2, counts - 1) * spread / np.sqrt(counts) < mean
    return int(counts[enough.argmax()]) if enough.any() else None
