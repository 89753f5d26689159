"""The cells of a chart in one model: their mean, how far they scatter, and each one shrunken.

A cell's mean over its seeds is its true effect plus noise of the cell's own standard error; the
true effects scatter around a common mean with standard deviation tau. Cells of one source train on
the same seeds, so their noise is correlated. tau has a uniform prior (Gelman 2006, "Prior
distributions for variance parameters in hierarchical models"), the common mean a flat one, and both
are integrated out (Gelman et al. 2013, "Bayesian Data Analysis", section 5.4).
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from src.analysis.statistics.estimate import LEVEL

LEAST_ERROR = 0.01
"""Percentage points; two losses that gave the same scores on every seed have no error at all."""
STEPS, WIDEST = 100, 4.0
"""Steps of the grid over tau, and its end in standard deviations of the cells' means."""


@dataclass(frozen=True)
class Mean:
    """The plain mean of some cells with its 95 % interval, percentage points."""

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.mean:+.1f} [{self.low:.1f}, {self.high:.1f}]"


def mean_of(differences: pd.DataFrame, errors: pd.Series, df: pd.Series) -> Mean:
    """Mean over cells; its standard error knows that cells share seeds.

    Args:
        differences: percentage points, one column per cell, one row per draw of data (source and
            seed); NaN where a cell has no such draw.
        errors: standard error of each column's mean.
        df: degrees of freedom of each error; their median is taken.
    """
    covariance = _correlations(differences) * np.outer(errors, errors)
    error = np.sqrt(max(covariance.sum(), 0.0)) / len(errors)
    mean = float(differences.mean().mean())
    half = float(stats.t.ppf(1 - LEVEL / 2, df.median()) * error)
    return Mean(mean, mean - half, mean + half)


def pool(differences: pd.DataFrame, errors: pd.Series, df: pd.Series) -> tuple[float, pd.DataFrame]:
    """Shrinks every cell towards the common mean as far as its own error and tau say.

    The arguments are those of :func:`mean_of`. Intervals take Student's t for the normal, for the
    errors are estimates.

    Returns:
        The posterior mean of tau, percentage points; and one row per cell with ``shrunken_mean``
        and its 95 % interval, ``shrunken_low`` to ``shrunken_high``.
    """
    means = differences.mean().to_numpy()
    noise = _noise(differences, errors)
    ones = np.ones(len(means))
    grid = np.linspace(0, WIDEST, STEPS + 1)[1:] * max(float(means.std()), LEAST_ERROR)
    weights, centres, variances = [], [], []
    for tau in grid:
        precision = np.linalg.inv(noise + tau**2 * np.eye(len(means)))
        row, total = precision @ ones, float(precision.sum())
        common = float(row @ means) / total
        away = means - common
        pulled = precision @ away
        likelihood = np.linalg.slogdet(precision)[1] - np.log(total) - away @ pulled
        weights.append(likelihood / 2)
        centres.append(common + tau**2 * pulled)
        own = tau**2 - tau**4 * np.diag(precision)
        variances.append(own + (1 - tau**2 * row) ** 2 / total)
    weight = np.exp(np.array(weights) - max(weights))
    weight /= weight.sum()
    centre = weight @ np.array(centres)
    variance = weight @ (np.array(variances) + (np.array(centres) - centre) ** 2)
    half = stats.t.ppf(1 - LEVEL / 2, df) * np.sqrt(variance)
    columns = {"mean": centre, "low": centre - half, "high": centre + half}
    cells = pd.DataFrame(columns, index=differences.columns).add_prefix("shrunken_")
    return float(weight @ grid), cells


def _correlations(differences: pd.DataFrame) -> NDArray[np.float64]:
    """Between cells, over the draws that they share; 0 where they share too few or never differ."""
    found = np.nan_to_num(differences.corr(min_periods=3).to_numpy(dtype=np.float64, copy=True))
    np.fill_diagonal(found, 1.0)
    return found


def _noise(differences: pd.DataFrame, errors: pd.Series) -> NDArray[np.float64]:
    """Covariance of the cells' noise: one correlation for all pairs that share draws."""
    seen = differences.notna().to_numpy(dtype=np.float64)
    apart = ~np.eye(len(errors), dtype=bool)
    shared = (seen.T @ seen > 2) & apart
    mean = float(_correlations(differences)[shared].mean()) if shared.any() else 0.0
    own = np.maximum(errors.to_numpy(dtype=np.float64), LEAST_ERROR)
    return np.where(apart, np.where(shared, max(mean, 0.0), 0.0), 1.0) * np.outer(own, own)
