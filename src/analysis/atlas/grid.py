"""The atlas: where a loss gains over the baseline, cell by cell.

A cell is one problem (data, imbalance ratio, share of hard negatives) with one effort (training
budget and capacity); it shows the mean paired difference in test macro F1 with its confidence
interval. A chart is the grid of one loss at one decision; the atlas has one for each pair of these.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from src.analysis.runs import FinishedRun, by_setting
from src.analysis.statistics.comparison import Comparison
from src.analysis.statistics.paired import compare

ROWS, COLUMNS = ["data", "hard", "ratio"], ["epochs", "widths"]
"""The grid is sorted by these."""
FACTORS = {"source": "{}", "ratio": "ratio {}", "epochs": "{} epochs", "widths": "{0[1]}"}
"""Columns of the cells whose levels are summed up, and the names of their levels."""
ECE = "test_ece"


@dataclass(frozen=True)
class Chart:
    """The grid of one loss at one decision.

    Attributes:
        loss: label of the loss.
        baseline: label of the loss it is compared with.
        decision: ``argmax`` or ``tuned``.
        cells: one row a cell: ``problem`` and ``effort``, its row and column in the grid; ``mean``
            and ``text`` of the difference, percentage points; ``kind``, which is ``gain`` or
            ``loss`` where the interval leaves out 0, else ``open``; and what it is sorted by.
        seeds: fewest and most seeds in a cell.
        calibration: mean difference in expected calibration error over all pairs of runs, 0 to 1;
            above 0 the loss is less calibrated.
    """

    loss: str
    baseline: str
    decision: str
    cells: pd.DataFrame
    seeds: tuple[int, int]
    calibration: float

    @property
    def problems(self) -> list[str]:
        """The rows of the grid: data, share of hard negatives and imbalance ratio."""
        return list(self.cells.sort_values(ROWS)["problem"].unique())

    @property
    def efforts(self) -> list[str]:
        """The columns of the grid: epochs and widths of the hidden layers."""
        return list(self.cells.sort_values(COLUMNS)["effort"].unique())

    @property
    def grid(self) -> dict[tuple[str, str], Any]:
        """The cells by problem and effort; some may be missing."""
        return {(cell.problem, cell.effort): cell for cell in self.cells.itertuples()}

    @property
    def title(self) -> str:
        """The loss and its opponent, and how both decide."""
        return f"{self.loss} against {self.baseline}, decision {self.decision}"

    @property
    def sentence(self) -> str:
        """The chart in words."""
        return (
            f"{self.title}: of {len(self.cells)} cells, {self.count('gain')} gain, "
            f"{self.count('loss')} lose, {self.count('open')} cannot be told apart"
        )

    def count(self, kind: str) -> int:
        """How many cells are of a kind."""
        return int((self.cells["kind"] == kind).sum())

    @property
    def levels(self) -> pd.DataFrame:
        """Each level of data, ratio, budget and capacity: its cells, their kinds, their mean."""
        kind = self.cells["kind"]
        cells = self.cells.assign(gain=kind == "gain", loss=kind == "loss")
        kinds = {"cells": ("kind", "size"), "gain": ("gain", "sum"), "loss": ("loss", "sum")}
        return pd.concat(
            cells.groupby(factor).agg(**kinds, mean=("mean", "mean")).rename(index=name.format)
            for factor, name in FACTORS.items()
        ).reset_index(names="name")


@dataclass(frozen=True)
class Atlas:
    """All charts, those of one loss beside each other.

    Attributes:
        charts: of each loss at each decision.
        runs: how many runs are in them.
    """

    charts: list[Chart]
    runs: int

    @property
    def title(self) -> str:
        """The atlas in one line."""
        losses = dict.fromkeys(chart.loss for chart in self.charts)
        return f"Where {' and '.join(losses)} gain over {self.charts[0].baseline}, and where not"


def draw_atlas(
    runs: Sequence[FinishedRun],
    baseline: str,
    losses: Sequence[str] = (),
    decisions: Sequence[str] = ("argmax", "tuned"),
) -> Atlas:
    """Compares losses with the baseline in every setting and lays the results out as grids.

    Args:
        runs: finished runs of the atlas's experiment.
        baseline: name or label of the loss to compare with.
        losses: names or labels; all losses where none is given.
        decisions: how the class is decided.

    Raises:
        UserError: where there is nothing to compare.
    """
    charts = []
    for decision in decisions:
        groups: dict[str, list[Comparison]] = defaultdict(list)
        for one in compare(runs, baseline, decision=decision):
            if not losses or {one.loss, one.label} & set(losses):
                groups[one.label].append(one)
        charts += [_chart(runs, found) for found in groups.values()]
    charts.sort(key=lambda chart: chart.loss)  # a stable sort: the decisions stay in their order
    return Atlas(charts, len({(run.setting, run.label, run.seed) for run in runs}))


def _chart(runs: Sequence[FinishedRun], found: Sequence[Comparison]) -> Chart:
    example = {run.setting: run for run in runs}
    counts = [len(one.seeds) for one in found]
    return Chart(
        loss=found[0].label,
        baseline=found[0].baseline,
        decision=found[0].decision,
        cells=pd.DataFrame([_cell(example[one.setting], one) for one in found]),
        seeds=(min(counts), max(counts)),
        calibration=_calibration(runs, found),
    )


def _cell(run: FinishedRun, found: Comparison) -> dict[str, Any]:
    """A row of a chart's cells; a table is known by its file, every other source by its name."""
    most, least = max(run.class_counts, default=0), min(run.class_counts, default=1)
    counted = run.params.get("data.imbalance_ratio", most / max(least, 1))
    exact = 1.0 if run.params.get("data.profile") == "none" else float(counted)
    ratio, hard = round(float(f"{exact:.2g}")), run.params.get("data.hard_fraction", "")
    data = run.data or run.params.get("data.name", run.title)
    source = f"{data}, {100 * float(hard):g} % hard negatives" if hard else data
    epochs = int(run.params["training.epochs"])
    hidden = run.params.get("model.hidden") or run.params.get("model.name", "")
    return {
        "data": data,
        "hard": float(hard or 0),
        "source": source,
        "ratio": ratio,
        "epochs": epochs,
        "widths": (len(hidden), hidden),
        "problem": f"{source}, ratio {ratio}",
        "effort": f"{epochs} epochs, {hidden}",
        "mean": found.mean,
        "kind": "gain" if found.low > 0 else "loss" if found.high < 0 else "open",
        "text": f"{found.mean:+.1f} [{found.low:.1f}, {found.high:.1f}]",
    }


def _calibration(runs: Sequence[FinishedRun], found: Sequence[Comparison]) -> float:
    """Mean difference in expected calibration error, loss minus baseline; NaN without any."""
    settings = by_setting(runs)
    pairs = [
        (settings[one.setting][one.label][seed].metrics, base[seed].metrics)
        for one in found
        for base in [settings[one.setting][one.baseline]]
        for seed in one.seeds
    ]
    gaps = [loss[ECE] - base[ECE] for loss, base in pairs if ECE in loss and ECE in base]
    return float(np.mean(gaps)) if gaps else float("nan")
