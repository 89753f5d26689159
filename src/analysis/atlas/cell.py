"""One cell of the atlas: a problem, the effort spent on it, and the comparison there."""

from dataclasses import dataclass

from src.analysis.runs import FinishedRun
from src.analysis.statistics.comparison import Comparison

RATIO, HARD, WIDTH = "data.imbalance_ratio", "data.hard_fraction", "model.hidden"


@dataclass(frozen=True)
class Problem:
    """A row of a chart.

    Attributes:
        data: name of the data set.
        ratio: training rows of the largest class over those of the rarest, rounded to two digits.
        hard: share of hard negatives in simulated data, as text; empty elsewhere.
    """

    data: str
    ratio: int
    hard: str

    @classmethod
    def of(cls, run: FinishedRun) -> "Problem":
        """The problem of a run: a table is known by its file, every other source by its name."""
        most, least = max(run.class_counts, default=0), min(run.class_counts, default=1)
        ratio = float(run.params.get(RATIO, most / max(least, 1)))
        if run.params.get("data.profile") == "none":
            ratio = 1.0
        name = run.data or run.params.get("data.name", run.title)
        return cls(name, round(float(f"{ratio:.2g}")), run.params.get(HARD, ""))

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

    @classmethod
    def of(cls, run: FinishedRun) -> "Effort":
        """The effort of a run; the model's name stands for one without hidden widths."""
        width = run.params.get(WIDTH) or run.params.get("model.name", "")
        return cls(int(run.params["training.epochs"]), width)

    @property
    def label(self) -> str:
        """For people."""
        return f"{self.epochs} epochs, {self.hidden}"


@dataclass(frozen=True)
class Cell:
    """The comparison of one problem and effort."""

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
