"""Means and slopes over data sets whose families are the independent units.

Sets of one family are made of the same rows, so the families are what a wider world would bring
more of. Every family counts the same, however many sets it has, and the noise is what leaving out
one family after another shows: the cluster jackknife, called CV3 (MacKinnon, Nielsen and Webb 2023,
"Cluster-robust inference: a guide to empirical practice"). For a mean it is Student's t of the
families' means, which holds its level whatever the spread of each family (Ibragimov and Müller
2010, "t-statistic based correlation and heterogeneity robust inference"): no weights by precision,
which would have to be estimated from a handful of seeds, and no model of what sets share.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from src.analysis.statistics.estimate import LEVEL

LEAST_FAMILIES = 3


@dataclass(frozen=True)
class OverFamilies:
    """An estimate over families with its 95 % interval.

    Attributes:
        value: the estimate, in the unit of the values.
        low: lower end; NaN with fewer than ``LEAST_FAMILIES``.
        high: upper end.
        p: two-sided, of a value of 0; NaN in the same way.
        families: how many.
        sets: how many.
    """

    value: float
    low: float
    high: float
    p: float
    families: int
    sets: int

    def text(self, form: str = "+.1f") -> str:
        """The estimate and its interval, where it has one: ``+0.8 [-0.1, 1.7]``."""
        if np.isnan(self.low):
            return format(self.value + 0.0, form)
        ends = (format(round(end, 6) + 0.0, form.lstrip("+")) for end in (self.low, self.high))
        return f"{format(self.value + 0.0, form)} [{', '.join(ends)}]"


def mean_over_families(values: Sequence[float], families: Sequence[str]) -> OverFamilies:
    """The mean of the families' means.

    Args:
        values: one per set, shape (n,).
        families: of each set.
    """
    y = np.asarray(values, np.float64)
    return _estimate(np.ones((len(y), 1)), y, families)


def slope_over_families(
    values: Sequence[float], factor: Sequence[float], families: Sequence[str]
) -> OverFamilies:
    """The slope of a value over a factor: least squares, families weighted alike.

    Args:
        values: one per set, shape (n,).
        factor: of each set.
        families: of each set.
    """
    x = np.asarray(factor, np.float64)
    design = np.column_stack([np.ones_like(x), x - x.mean()])
    return _estimate(design, np.asarray(values, np.float64), families)


def family_means(sets: pd.DataFrame, column: str) -> pd.DataFrame:
    """One row per family and one column per method, families with all methods alone.

    Args:
        sets: rows of one decision, see :mod:`src.analysis.study.table`.
        column: whose mean is taken.
    """
    by_set = sets.pivot(index=["family", "data"], columns="method", values=column).dropna()
    return by_set.groupby("family").mean()


def _estimate(
    design: NDArray[np.float64], y: NDArray[np.float64], families: Sequence[str]
) -> OverFamilies:
    """The last coefficient of a weighted regression, with the jackknife over families."""
    names, index, sizes = np.unique(families, return_inverse=True, return_counts=True)
    weight = np.sqrt(1 / sizes[index])
    x, y, count = design * weight[:, None], y * weight, len(names)

    def fitted(kept: NDArray[np.bool_]) -> float:
        return float(np.linalg.lstsq(x[kept], y[kept], rcond=None)[0][-1])

    value = fitted(np.ones(len(y), np.bool_))
    if count < LEAST_FAMILIES:
        nan = float("nan")
        return OverFamilies(value, nan, nan, nan, count, len(y))
    without = np.array([fitted(index != family) for family in range(count)])
    error = float(np.sqrt((count - 1) / count * ((without - value) ** 2).sum()))
    half = float(stats.t.ppf(1 - LEVEL / 2, count - 1)) * error
    p = 2 * stats.t.sf(abs(value) / error, count - 1) if error else float(value == 0)
    return OverFamilies(value, value - half, value + half, float(p), count, len(y))
