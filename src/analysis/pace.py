"""The time that runs take on this machine, measured on those in the store."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import nan

import numpy as np

from src.analysis.runs import FinishedRun

LONGEST_PAUSE_MS = 300_000
"""Between the ends of two runs of one sweep; after a longer one the run's own seconds count."""


@dataclass(frozen=True)
class Pace:
    """Seconds that a run takes, from one end to the next, with all that is around its training.

    Attributes:
        spans: by run id, seconds that each finished run took.
        lines: by data set, seconds of a network's run with no epoch and seconds per epoch more.
    """

    spans: Mapping[str, float]
    lines: Mapping[str, tuple[float, float]]

    def seconds(self, data: str, epochs: int) -> float:
        """Expected seconds of a run; the mean over known sets for another set; NaN without any."""
        known = [self.lines[data]] if data in self.lines else list(self.lines.values())
        return float(np.mean([start + slope * epochs for start, slope in known or [(nan, nan)]]))


def pace_of(runs: Sequence[FinishedRun]) -> Pace:
    """The pace of some runs, each from the end of the run before it: so several workers count."""
    times: dict[str, list[tuple[int, float]]] = defaultdict(list)
    spans: dict[str, float] = {}
    before = 0
    for run in sorted(runs, key=lambda run: run.ended_ms):
        gap = run.ended_ms - before
        before = run.ended_ms
        own = sum(run.metrics.get(f"seconds_{part}", 0.0) for part in ("build", "fit", "predict"))
        spans[run.run_id] = seconds = gap / 1000 if gap <= LONGEST_PAUSE_MS else own
        if "training.epochs" in run.params:
            name, epochs = run.params.get("data.name", run.data), int(run.params["training.epochs"])
            times[name].append((epochs, seconds))
    return Pace(spans, {data: _line(measured) for data, measured in times.items()})


def _line(measured: Sequence[tuple[int, float]]) -> tuple[float, float]:
    """Least squares; the mean, with no slope, where all have the same number of epochs."""
    epochs, seconds = np.array(measured, np.float64).T
    if np.ptp(epochs) == 0:
        return float(seconds.mean()), 0.0
    slope, start = np.polyfit(epochs, seconds, 1)
    if slope <= 0 or start < 0:  # noise between few runs; then time goes with the epochs alone
        return 0.0, float(seconds.sum() / epochs.sum())
    return float(start), float(slope)
