"""The study over its data sets: one row for each method and decision."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from src.analysis.statistics.paired import THRESHOLD_PP
from src.analysis.study.families import OverFamilies, mean_over_families, slope_over_families
from src.analysis.study.posterior import sample

FACTORS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "ratio": ("doubling of the ratio", np.log2),
    "rarest_rows": ("doubling of the rows of the rarest class", np.log2),
    "overlap": ("0.1 more overlap of the classes", lambda overlap: 10 * overlap),
}
"""Facts that a gain may depend on: the unit in words, and the fact in that unit."""
OUTCOMES = ("loss", "equivalent", "gain")
LEAST_SETS = 3
TEST_PART = 0.2
"""Share of a set's rows in the test split."""


@dataclass(frozen=True)
class Chance:
    """The probability of an outcome on the next data set, 0 to 1, and how well it is known."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{100 * self.value:.0f} % [{100 * self.low:.0f}, {100 * self.high:.0f}]"


def summarise(sets: pd.DataFrame, column: str = "difference") -> list[dict[str, Any]]:
    """Every method at every decision, over the data sets.

    Args:
        sets: see :mod:`src.analysis.study.table`.
        column: ``difference``, or ``over_argmax``.

    Returns:
        Rows with ``method``, ``kind``, ``decision``, what :func:`over_sets` gives, and the slopes
        by ``FACTORS``.
    """
    return [
        {"method": method, "kind": found["kind"].iloc[0], "decision": decision}
        | over_sets(found, column)
        | {name: _slope(found, column, name) for name in FACTORS}
        for (method, decision), found in sets.groupby(["method", "decision"], sort=False)
    ]


def over_sets(found: pd.DataFrame, column: str = "difference") -> dict[str, Any]:
    """One comparison over the data sets.

    Args:
        found: one row per set.
        column: the differences; their ``se`` and ``df`` stand beside.

    Returns:
        ``sets``, ``families``; ``mean``, the column's :class:`OverFamilies`; on how many sets the
        interval is above 0, ``better``, or below, ``worse``; ``share_better``, of the sets on which
        the difference is above 0, per cent; a :class:`Chance` each of ``OUTCOMES`` on the next data
        set, and ``next_low`` to ``next_high``, 95 % of the differences that may come there.
    """
    before = "" if column == "difference" else f"{column}_"
    values, families = found[column], found["family"]
    row: dict[str, Any] = {
        "sets": len(found),
        "families": families.nunique(),
        "mean": mean_over_families(values, families),
        "better": int((found[f"{before}low"] > 0).sum()),
        "worse": int((found[f"{before}high"] < 0).sum()),
        "share_better": mean_over_families(100.0 * (values > 0) + 50.0 * (values == 0), families),
    }
    if len(found) >= LEAST_SETS and values.any():
        errors, df = found[f"{before}se"], found[f"{before}df"]
        posterior = sample(values, errors, df, families, steps=_steps(found))
        shares = posterior.shares(THRESHOLD_PP)
        ends = np.quantile(shares, (0.025, 0.975), axis=0)
        known = zip(shares.mean(axis=0), *ends, strict=True)
        row |= {name: Chance(*map(float, one)) for name, one in zip(OUTCOMES, known, strict=True)}
        low, high = np.quantile(posterior.next_sets(), (0.025, 0.975))
        row |= {"next_low": float(low), "next_high": float(high)}
    return row


def _steps(found: pd.DataFrame) -> "pd.Series[float]":
    """Percentage points that one test row of the rarest class moves the mean, in one seed; or 0."""
    rows = np.maximum(TEST_PART * found["rarest_rows"].astype(float), 1)
    return (100 / (found["classes"].astype(float) * rows * found["seeds"])).fillna(0.0)


def _slope(found: pd.DataFrame, column: str, name: str) -> OverFamilies | None:
    """Slope of the column over a factor; None where the factor is not known or does not vary."""
    known = found[np.isfinite(found[name].astype(float))]
    factor = FACTORS[name][1](known[name].astype(float))
    if known["family"].nunique() <= LEAST_SETS or factor.nunique() < LEAST_SETS:
        return None
    return slope_over_families(known[column], factor, known["family"])
