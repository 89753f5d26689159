"""The atlas: where a loss gains over the baseline, cell by cell.

A cell is one problem (data, imbalance ratio, share of hard negatives) with one training budget and
one capacity; it shows the mean paired difference in test macro F1 with its confidence interval.
A chart is the grid of one loss at one decision; the atlas has a chart for each pair of these.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from src.analysis.atlas.cell import Cell, Effort, Problem
from src.analysis.runs import FinishedRun, by_setting
from src.analysis.statistics.comparison import Comparison
from src.analysis.statistics.paired import compare

ECE = "test_ece"


@dataclass(frozen=True)
class Level:
    """One level of a factor (data, ratio, budget or capacity), over all cells that have it.

    Attributes:
        name: for people.
        cells: how many there are.
        gain: how many gain.
        loss: how many lose.
        mean: of the cells' mean differences, percentage points.
    """

    name: str
    cells: int
    gain: int
    loss: int
    mean: float


FACTORS: tuple[Callable[[Problem, Effort], tuple[float, str]], ...] = (
    lambda problem, effort: (0, problem.source),
    lambda problem, effort: (problem.ratio, f"ratio {problem.ratio}"),
    lambda problem, effort: (effort.epochs, f"{effort.epochs} epochs"),
    lambda problem, effort: (len(effort.hidden), effort.hidden),
)
"""The level of a factor that a cell has: a number to sort by, and its name."""


@dataclass(frozen=True)
class Chart:
    """The grid of one loss at one decision.

    Attributes:
        loss: label of the loss.
        baseline: label of the loss it is compared with.
        decision: ``argmax`` or ``tuned``.
        problems: the rows.
        efforts: the columns.
        cells: by row and column; some may be missing.
        seeds: fewest and most seeds in a cell.
        calibration: mean difference in expected calibration error over all pairs of runs, 0 to 1;
            above 0 the loss is less calibrated.
    """

    loss: str
    baseline: str
    decision: str
    problems: list[Problem]
    efforts: list[Effort]
    cells: dict[tuple[Problem, Effort], Cell]
    seeds: tuple[int, int]
    calibration: float

    def count(self, kind: str) -> int:
        """How many cells are of a kind."""
        return sum(cell.kind == kind for cell in self.cells.values())

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

    @property
    def levels(self) -> list[Level]:
        """Each level of data, ratio, budget and capacity, over the cells that have it."""
        found = []
        for level_of in FACTORS:
            groups: dict[tuple[float, str], list[Cell]] = defaultdict(list)
            for key, cell in self.cells.items():
                groups[level_of(*key)].append(cell)
            for (_, name), cells in sorted(groups.items()):
                kinds = [cell.kind for cell in cells]
                mean = float(np.mean([cell.found.mean for cell in cells]))
                counts = len(cells), kinds.count("gain"), kinds.count("loss")
                found.append(Level(name, *counts, mean))
        return found


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
    cells = {
        (Problem.of(example[one.setting]), Effort.of(example[one.setting])): Cell(one)
        for one in found
    }
    counts = [len(one.seeds) for one in found]
    first = found[0]
    return Chart(
        loss=first.label,
        baseline=first.baseline,
        decision=first.decision,
        problems=sorted(
            {problem for problem, _ in cells}, key=lambda p: (p.data, float(p.hard or 0), p.ratio)
        ),
        efforts=sorted({effort for _, effort in cells}, key=lambda e: (e.epochs, len(e.hidden))),
        cells=cells,
        seeds=(min(counts), max(counts)),
        calibration=_calibration(runs, found),
    )


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
