"""The atlas: where a loss gains over the baseline, cell by cell.

A cell is one problem (data, imbalance ratio, share of hard negatives), one training budget and one
capacity; in it stands the mean paired difference in test macro F1 with its confidence interval.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, PackageLoader, select_autoescape

from src.analysis.comparison import Comparison
from src.analysis.paired import compare
from src.analysis.runs import FinishedRun

DEEPEST_PP = 10.0
"""A difference of so many percentage points has the deepest colour."""
GAIN, LOSS = (0, 114, 178), (213, 94, 0)
"""Okabe and Ito's blue and vermilion."""


@dataclass(frozen=True)
class Problem:
    """A row of the atlas.

    Attributes:
        data: name of the data set.
        ratio: training rows of the largest class over those of the rarest, rounded.
        hard: share of hard negatives in simulated data, as text; empty elsewhere.
    """

    data: str
    ratio: int
    hard: str

    @property
    def label(self) -> str:
        """For people."""
        hard = f", {100 * float(self.hard):g} % hard negatives" if self.hard else ""
        return f"{self.data}{hard}, ratio {self.ratio}"


@dataclass(frozen=True)
class Effort:
    """A column of the atlas.

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

    @property
    def colour(self) -> str:
        """CSS colour: blue for a gain, vermilion for a loss, deeper for more."""
        depth = min(abs(self.found.mean) / DEEPEST_PP, 1.0)
        target = GAIN if self.found.mean > 0 else LOSS
        parts = [round(255 + (part - 255) * 0.75 * depth) for part in target]
        return f"rgb({parts[0]}, {parts[1]}, {parts[2]})"


@dataclass(frozen=True)
class Atlas:
    """The whole grid, and how many cells are of which kind.

    Attributes:
        loss: label of the loss.
        baseline: label of what it is held against.
        problems: the rows.
        efforts: the columns.
        cells: by row and column; not every place need be filled.
        seeds: fewest and most seeds in a cell.
    """

    loss: str
    baseline: str
    problems: list[Problem]
    efforts: list[Effort]
    cells: dict[tuple[Problem, Effort], Cell]
    seeds: tuple[int, int]

    def count(self, kind: str) -> int:
        """How many cells are of a kind."""
        return sum(cell.kind == kind for cell in self.cells.values())

    @property
    def sentence(self) -> str:
        """The atlas in words."""
        return (
            f"{self.loss} against {self.baseline}: of {len(self.cells)} cells, "
            f"{self.count('gain')} gain, {self.count('loss')} lose, "
            f"{self.count('open')} cannot be told apart"
        )

    def markdown(self) -> str:
        """The grid as a Markdown table; bold where the interval leaves out 0."""
        head = ["problem", *(effort.label for effort in self.efforts)]
        lines = ["| " + " | ".join(head) + " |", "| --- " * len(head) + "|"]
        for problem in self.problems:
            row = [problem.label]
            for effort in self.efforts:
                cell = self.cells.get((problem, effort))
                text = cell.text if cell else ""
                row.append(f"**{text}**" if cell and cell.kind != "open" else text)
            lines.append("| " + " | ".join(row) + " |")
        return "\n".join(lines)


def draw_atlas(runs: Sequence[FinishedRun], baseline: str, loss: str) -> Atlas:
    """Compares a loss with the baseline in every setting and lays the results out as a grid.

    Args:
        runs: finished runs of the atlas's experiment.
        baseline: name or label of the loss to hold against.
        loss: name or label of the loss.

    Raises:
        UserError: where there is nothing to compare.
    """
    example = {run.setting: run for run in runs}
    found = [one for one in compare(runs, baseline) if loss in {one.loss, one.label}]
    cells = {
        (_problem(example[one.setting]), _effort(example[one.setting])): Cell(one) for one in found
    }
    counts = [len(one.seeds) for one in found]
    return Atlas(
        loss=found[0].label if found else loss,
        baseline=found[0].baseline if found else baseline,
        problems=sorted({key[0] for key in cells}, key=lambda p: (p.data, p.hard, p.ratio)),
        efforts=sorted({key[1] for key in cells}, key=lambda e: (e.epochs, len(e.hidden))),
        cells=cells,
        seeds=(min(counts, default=0), max(counts, default=0)),
    )


def write_atlas(file: Path, atlas: Atlas) -> None:
    """Writes the heat map as one HTML file that needs nothing else.

    Args:
        file: where to.
        atlas: the grid.
    """
    environment = Environment(
        loader=PackageLoader("src.analysis"), autoescape=select_autoescape(default=True)
    )
    page = environment.get_template("atlas.html.j2").render(atlas=atlas)
    file.write_text(page, encoding="utf-8")


def _problem(run: FinishedRun) -> Problem:
    ratio = max(run.class_counts) / max(min(run.class_counts), 1) if run.class_counts else 0
    name = run.params.get("data.name", run.place)
    return Problem(name, round(ratio), run.params.get("data.hard_fraction", ""))


def _effort(run: FinishedRun) -> Effort:
    width = run.params.get("model.hidden") or run.params.get("model.name", "")
    return Effort(int(run.params["training.epochs"]), width)
