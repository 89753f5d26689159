"""What each loss scores, over all its seeds: the side of a comparison that is not paired."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from src.analysis.comparison import Comparison
from src.analysis.runs import FinishedRun, latest_of_each, rarest_class

PREFIXES = ("test_", "val_tuned_", "best_", "seconds_")
"""Metrics that are one number a run."""
MARK = {"argmax": "test_", "tuned": "test_tuned_"}
"""How the metrics of a decision begin."""


@dataclass(frozen=True)
class LossSummary:
    """One loss in one setting.

    Attributes:
        setting: hash of what the losses beside it share.
        place: data and model, for people.
        label: the loss with its knobs.
        runs: the last for each seed, by seed.
        means: of every final metric, over the seeds that have it.
        spreads: standard deviations (n - 1) of the same; absent with fewer than two seeds.
        rare: number of the rarest class, in training rows; None where it is not known.
        rare_name: its name.
    """

    setting: str
    place: str
    label: str
    runs: tuple[FinishedRun, ...]
    means: dict[str, float]
    spreads: dict[str, float]
    rare: int | None
    rare_name: str

    @property
    def seeds(self) -> tuple[int, ...]:
        """Ascending."""
        return tuple(run.seed for run in self.runs)

    def of_rare(self, score: str, decision: str) -> float | None:
        """Mean of a score of the rarest class on the test split.

        Args:
            score: ``f1`` or ``recall``.
            decision: ``argmax`` or ``tuned``.

        Returns:
            None where it was not recorded.
        """
        return self.means.get(f"{MARK[decision]}{score}_class_{self.rare}")


def summarise(runs: Sequence[FinishedRun]) -> list[LossSummary]:
    """One summary for each loss and setting, in the order in which they were trained.

    Args:
        runs: finished runs; of several with the same setting, loss and seed the last counts.
    """
    by_loss: dict[tuple[str, str], list[FinishedRun]] = {}
    for (setting, label, _), run in latest_of_each(runs).items():
        by_loss.setdefault((setting, label), []).append(run)
    rare = {
        setting: rarest_class(
            run for (of, _), found in by_loss.items() if of == setting for run in found
        )
        for setting, _ in by_loss
    }
    return [
        _summary(sorted(found, key=lambda run: run.seed), rare[setting])
        for (setting, _), found in by_loss.items()
    ]


def not_compared(runs: Sequence[FinishedRun], comparisons: Sequence[Comparison]) -> list[str]:
    """A sentence on each finished run, or group of them, that no comparison holds.

    Args:
        runs: all that were chosen.
        comparisons: as :func:`src.analysis.paired.compare` gives them.
    """
    latest = latest_of_each(runs)
    again = len(runs) - len(latest)
    several = f"{again} runs are" if again > 1 else "1 run is"
    notes = [f"{several} older than another of the same loss, setting and seed"] if again else []
    held = {(one.setting, label) for one in comparisons for label in (one.label, one.baseline)}
    for summary in summarise(runs):
        if (summary.setting, summary.label) not in held:
            seeds = ", ".join(map(str, summary.seeds))
            notes.append(
                f"without a pair: {summary.label} on {summary.place} "
                f"(seed{'s' if len(summary.seeds) > 1 else ''} {seeds})"
            )
    return notes


def _summary(runs: Sequence[FinishedRun], rare: int | None) -> LossSummary:
    names = dict.fromkeys(name for run in runs for name in run.metrics if name.startswith(PREFIXES))
    columns = {name: [run.metrics[name] for run in runs if name in run.metrics] for name in names}
    classes = runs[0].class_names
    return LossSummary(
        setting=runs[0].setting,
        place=runs[0].place,
        label=runs[0].label,
        runs=tuple(runs),
        means={name: float(np.mean(column)) for name, column in columns.items()},
        spreads={
            name: float(np.std(column, ddof=1))
            for name, column in columns.items()
            if len(column) > 1
        },
        rare=rare,
        rare_name=classes[rare] if rare is not None and rare < len(classes) else str(rare),
    )
