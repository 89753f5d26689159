"""The atlas: where a loss gains over the baseline, cell by cell and over all of them.

False discoveries are controlled over the whole page, all losses, decisions and views together: a
cell counts as a gain or a loss where q, the p adjusted as Benjamini and Hochberg do (1995,
"Controlling the false discovery rate"), is below 0.05.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from src.analysis.atlas.cells import BESIDE, compare_cells, rates_chosen
from src.analysis.atlas.pooling import LEVEL, mean_of, pool
from src.analysis.runs import FinishedRun
from src.errors import UserError, words

CHART, CELL = ["loss", "baseline", "decision"], ["problem", "effort"]
"""A chart is one loss at one decision; its cells are compared in one view or in two."""
SORTED = ["data", "source", "ratio", "epochs", "widths"]
FACTORS = {"source": "{}", "ratio": "ratio {}", "epochs": "{} epochs", "widths": "{0[1]}"}
"""Columns of the cells whose levels are summed up, and the names of their levels."""
KINDS = ("gain", "lose", "open")


@dataclass(frozen=True)
class Atlas:
    """All comparisons, and what they say together.

    Attributes:
        cells: one row per chart, view and cell: ``mean``, ``low`` and ``high`` of the difference
            and of its shrunken form (``shrunken_mean``...), percentage points; ``p``, ``q`` and
            ``kind``, one of ``KINDS``; the baseline's score ``base``; and its factors.
        charts: one row per chart and view: ``overall``, the mean over the cells, ``between``, the
            standard deviation of the true effects, both percentage points; how many cells are of
            each kind; means of the differences in ``BESIDE``, in hundredths.
        levels: one row per chart, view and level of a factor: its name ``level``, ``mean``, and how
            many cells are of each kind.
        runs: how many runs are in it.
        rate: learning rate of the view ``given``.
        rates: how often validation chose each learning rate, by loss and epochs, decision argmax.
    """

    cells: pd.DataFrame
    charts: pd.DataFrame
    levels: pd.DataFrame
    runs: int
    rate: float
    rates: dict[tuple[str, str], Counter[str]]

    @property
    def title(self) -> str:
        """The atlas in one line."""
        losses = " and ".join(self.charts["loss"].unique())
        return f"Where {losses} gain over {self.charts['baseline'].iloc[0]}, and where not"

    @property
    def discoveries(self) -> str:
        """How many cells are bold, and how many would be by chance, in words."""
        count = len(self.cells)
        bold = int((self.cells["kind"] != "open").sum())
        alone = int((self.cells["p"] < LEVEL).sum())
        return (
            f"Of the {count} comparisons on this page, {bold} are bold: q < {LEVEL:g}, so that "
            f"some {LEVEL * bold:.1f} of them at most are expected to be false. By p < {LEVEL:g} "
            f"each for itself {alone} would be, of which up to {LEVEL * count:.0f} by chance."
        )


def draw_atlas(
    runs: Sequence[FinishedRun], baseline: str, losses: Sequence[str] = (), rate: float = 0.001
) -> Atlas:
    """Compares losses, all where none is named, with the baseline in every cell.

    Raises:
        UserError: where there is nothing to compare, or a named loss is not among the runs.
    """
    rows = compare_cells(runs, baseline, rate)
    names = {row["loss"]: {row["loss"], row["loss"].partition("(")[0]} for row in rows}
    for one in losses:
        if not any(one in of_loss for of_loss in names.values()):
            there = f"no such loss has runs beside {baseline}; there are {words(names)}"
            raise UserError(f"--loss {one}: {there}")
    rows = [row for row in rows if not losses or names[row["loss"]] & set(losses)]
    cells = judge(pd.DataFrame(rows).drop_duplicates([*CHART, "view", *CELL], keep="last"))
    charts, levels, shrunken = [], [], []
    for names, found in cells.groupby([*CHART, "view"]):
        of_chart = dict(zip([*CHART, "view"], names, strict=True))
        between, pulled = pool(_columns(found["differences"]), found["standard_error"], found["df"])
        shrunken.append(pulled)
        beside = {name: _mean_beside(found[name]) for name in BESIDE}
        charts.append(of_chart | _together(found) | beside | {"between": between})
        levels += [of_chart | level for level in _levels(found)]
    cells = cells.join(pd.concat(shrunken)).sort_values([*CHART, *SORTED])
    used = len({run.run_id for run in runs})
    rates = rates_chosen(runs, "argmax")
    return Atlas(cells, pd.DataFrame(charts), pd.DataFrame(levels), used, rate, rates)


def judge(cells: pd.DataFrame) -> pd.DataFrame:
    """Adds ``q`` and ``kind`` to all cells that are tested together, from ``mean`` and ``p``."""
    q = stats.false_discovery_control(cells["p"])
    kind = np.where(q < LEVEL, np.where(cells["mean"] > 0, "gain", "lose"), "open")
    return cells.assign(q=q, kind=kind)


def _levels(cells: pd.DataFrame) -> Iterator[dict[str, Any]]:
    for factor, form in FACTORS.items():
        for level, found in cells.groupby(factor):
            yield {"level": form.format(level)} | _together(found)


def _together(cells: pd.DataFrame) -> dict[str, Any]:
    kinds = Counter(cells["kind"])
    mean = mean_of(_columns(cells["differences"]), cells["standard_error"], cells["df"])
    return {"overall": mean} | {kind: kinds[kind] for kind in KINDS}


def _mean_beside(by_draw: pd.Series) -> Any:
    found = 100 * _columns(by_draw).dropna(axis="columns", how="all")
    return "" if found.empty else mean_of(found, found.sem(), found.count() - 1)


def _columns(by_draw: pd.Series) -> pd.DataFrame:
    """Differences, one column per cell and one row per draw of data."""
    return pd.DataFrame({cell: pd.Series(found, dtype=float) for cell, found in by_draw.items()})
