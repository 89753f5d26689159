"""The atlas: where a loss gains over the baseline, cell by cell.

A cell is one problem (data, imbalance ratio, share of hard negatives), one training budget and one
capacity; in it stands the mean paired difference in test macro F1 with its confidence interval.
A chart is the grid of one loss at one decision; the atlas has a chart for each of both.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from src.analysis.comparison import Comparison
from src.analysis.paired import compare
from src.analysis.runs import FinishedRun, latest_of_each

RATIO_DIGITS = 2
"""Imbalance ratios are counted on rows, and rounded to so many digits for people."""
RATIO_PARAM, HARD_PARAM, WIDTH_PARAM = "data.imbalance_ratio", "data.hard_fraction", "model.hidden"


@dataclass(frozen=True)
class Problem:
    """A row of a chart.

    Attributes:
        data: name of the data set.
        ratio: training rows of the largest class over those of the rarest, rounded.
        hard: share of hard negatives in simulated data, as text; empty elsewhere.
    """

    data: str
    ratio: int
    hard: str

    @property
    def source(self) -> str:
        """The data without its ratio, for people."""
        hard = f", {100 * float(self.hard):g} % hard negatives" if self.hard else ""
        return f"{self.data}{hard}"

    @property
    def label(self) -> str:
        """For people."""
        return f"{self.source}, ratio {self.ratio}"


@dataclass(frozen=True)
class Effort:
    """A column of a chart.

    Attributes:
        epochs: training budget.
        hidden: widths of the hidden layers, as the config has them.
    """

    epochs: int
    hidden: str

    @property
    def label(self) -> str:
        """For people."""
        return f"{self.epochs} epochs, {self.hidden}"


@dataclass(frozen=True)
class Cell:
    """One cell: the comparison in it, and what it shows."""

    found: Comparison

    @property
    def kind(self) -> str:
        """``gain`` or ``loss`` where the interval leaves out 0, else ``open``."""
        if self.found.low > 0:
            return "gain"
        return "loss" if self.found.high < 0 else "open"

    @property
    def text(self) -> str:
        """Mean and interval, percentage points."""
        return f"{self.found.mean:+.1f} [{self.found.low:.1f}, {self.found.high:.1f}]"


@dataclass(frozen=True)
class Level:
    """One level of a factor, over all cells that have it.

    Attributes:
        factor: ``data``, ``ratio``, ``budget`` or ``capacity``.
        name: of the level, for people.
        cells: how many there are.
        gain: how many gain.
        loss: how many lose.
        mean: of the cells' mean differences, percentage points.
    """

    factor: str
    name: str
    cells: int
    gain: int
    loss: int
    mean: float


Place = tuple[Problem, Effort]


@dataclass(frozen=True)
class Chart:
    """The grid of one loss at one decision.

    Attributes:
        loss: label of the loss.
        baseline: label of what it is held against.
        decision: ``argmax`` or ``tuned``.
        problems: the rows.
        efforts: the columns.
        cells: by row and column; not every place need be filled.
        seeds: fewest and most seeds in a cell.
        calibration: mean difference in expected calibration error over all pairs of runs, 0 to 1;
            above 0 the loss is less calibrated.
    """

    loss: str
    baseline: str
    decision: str
    problems: list[Problem]
    efforts: list[Effort]
    cells: dict[Place, Cell]
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
        factors: dict[str, Callable[[Place], tuple[float, str]]] = {
            "data": lambda place: (0, place[0].source),
            "ratio": lambda place: (place[0].ratio, str(place[0].ratio)),
            "budget": lambda place: (place[1].epochs, f"{place[1].epochs} epochs"),
            "capacity": lambda place: (len(place[1].hidden), place[1].hidden),
        }
        found = []
        for factor, level_of in factors.items():
            groups: dict[tuple[float, str], list[Cell]] = defaultdict(list)
            for place, cell in self.cells.items():
                groups[level_of(place)].append(cell)
            found += [_level(factor, key[1], groups[key]) for key in sorted(groups)]
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
        baseline: name or label of the loss to hold against.
        losses: names or labels; all that there are where none is given.
        decisions: how the class is decided.

    Raises:
        UserError: where there is nothing to compare.
    """
    charts = []
    for decision in decisions:
        found = compare(runs, baseline, decision=decision)
        labels = dict.fromkeys(
            one.label for one in found if not losses or {one.loss, one.label} & set(losses)
        )
        charts += [_chart(runs, [one for one in found if one.label == label]) for label in labels]
    charts.sort(key=lambda chart: chart.loss)  # a stable sort: the decisions stay in their order
    return Atlas(charts, len(latest_of_each(runs)))


def _chart(runs: Sequence[FinishedRun], found: Sequence[Comparison]) -> Chart:
    example = {run.setting: run for run in runs}
    cells = {
        (_problem(example[one.setting]), _effort(example[one.setting])): Cell(one) for one in found
    }
    counts = [len(one.seeds) for one in found]
    first = found[0]
    return Chart(
        loss=first.label,
        baseline=first.baseline,
        decision=first.decision,
        problems=sorted({place[0] for place in cells}, key=_problem_order),
        efforts=sorted({place[1] for place in cells}, key=lambda e: (e.epochs, len(e.hidden))),
        cells=cells,
        seeds=(min(counts), max(counts)),
        calibration=_calibration(runs, found),
    )


def _calibration(runs: Sequence[FinishedRun], found: Iterable[Comparison]) -> float:
    """Mean difference in expected calibration error, loss minus baseline."""
    latest = latest_of_each(runs)
    gaps = [
        latest[one.setting, one.label, seed].metrics["test_ece"]
        - latest[one.setting, one.baseline, seed].metrics["test_ece"]
        for one in found
        for seed in one.seeds
        if all(
            "test_ece" in latest[one.setting, label, seed].metrics
            for label in (one.label, one.baseline)
        )
    ]
    return float(np.mean(gaps)) if gaps else float("nan")


def _level(factor: str, name: str, cells: Sequence[Cell]) -> Level:
    kinds = [cell.kind for cell in cells]
    mean = float(np.mean([cell.found.mean for cell in cells]))
    return Level(factor, name, len(cells), kinds.count("gain"), kinds.count("loss"), mean)


def _problem_order(problem: Problem) -> tuple[str, float, int]:
    return problem.data, float(problem.hard or 0), problem.ratio


def _problem(run: FinishedRun) -> Problem:
    counted = max(run.class_counts) / max(min(run.class_counts), 1) if run.class_counts else 0.0
    ratio = float(run.params.get(RATIO_PARAM, counted))
    if run.params.get("data.profile") == "none":
        ratio = 1.0
    # A table is known by its file, every other source by its name.
    name = run.data or run.params.get("data.name", run.place)
    return Problem(name, round(float(f"{ratio:.{RATIO_DIGITS}g}")), run.params.get(HARD_PARAM, ""))


def _effort(run: FinishedRun) -> Effort:
    width = run.params.get(WIDTH_PARAM) or run.params.get("model.name", "")
    return Effort(int(run.params["training.epochs"]), width)
