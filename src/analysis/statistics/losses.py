"""The scores of each loss over all its seeds: the side of a comparison that is not paired."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from src.analysis.runs import FinishedRun, by_setting
from src.analysis.statistics.comparison import Comparison
from src.runs.labels import short_label

PREFIXES = ("test_", "val_tuned_", "val_prior_", "val_crossfit_", "best_", "seconds_")
"""Metrics that are one number per run."""
MARK = {"argmax": "test_", "tuned": "test_tuned_", "prior": "test_prior_"}
"""Beginning of the metrics' names, by decision."""
OF_PROBABILITIES = ("average_precision", "ece", "brier", "log_loss")


@dataclass(frozen=True)
class LossSummary:
    """One loss in one setting.

    Attributes:
        setting: hash of what the compared losses share.
        title: data and model, for people.
        label: the loss with its knobs.
        runs: the last for each seed, by seed.
        means: of every final metric, over the seeds that have it.
        spreads: standard deviations (n - 1) of the same; absent with fewer than two seeds.
        rare: number of the rarest class, in training rows; None where it is not known.
        rare_name: its name.
    """

    setting: str
    title: str
    label: str
    runs: tuple[FinishedRun, ...]
    means: dict[str, float]
    spreads: dict[str, float]
    rare: int | None
    rare_name: str

    @property
    def short(self) -> str:
        """The label as people read it."""
        return short_label(self.label)

    @property
    def seeds(self) -> tuple[int, ...]:
        """Ascending."""
        return tuple(run.seed for run in self.runs)

    def scores(self, decision: str) -> dict[str, float | None]:
        """Scores beside macro F1, by their names in the CSV; None where one was not recorded.

        Means on the test split, at the epoch of the decision, 0 to 1 (log loss: nats; time:
        seconds).
        """
        mark, rare = MARK[decision], f"class_{self.rare}"
        names = {
            "rarest_class_average_precision": f"test_average_precision_{rare}",
            "rarest_class_f1": f"{mark}f1_{rare}",
            "rarest_class_recall": f"{mark}recall_{rare}",
            **{f"test_{one}": f"{mark}{one}" for one in OF_PROBABILITIES},
            "seconds_fit": "seconds_fit",
        }
        found = {name: self.means.get(metric) for name, metric in names.items()}
        return {"pooled_f1_macro": self._pooled_f1(decision), **found}

    @property
    def rows_of_rare(self) -> int:
        """Test rows of the rarest class, the fewest of any seed."""
        return min(run.rows_test_rarest for run in self.runs)

    def _pooled_f1(self, decision: str) -> float | None:
        """Macro F1 of the counts of all test splits together, for classes with few rows in each.

        Source: Forman and Scholz 2010, "Apples-to-apples in cross-validation studies".
        """
        classes = range(len(self.runs[0].class_names))
        names = [
            [f"{MARK[decision]}{count}_class_{k}" for k in classes] for count in ("tp", "fp", "fn")
        ]
        if not classes or any(name not in self.means for row in names for name in row):
            return None
        tp, fp, fn = np.array([[self.means[name] for name in row] for row in names])
        return float((2 * tp / np.maximum(2 * tp + fp + fn, 1 / len(self.runs))).mean())


@dataclass(frozen=True)
class LossRow:
    """One loss among those of a setting, at the judged decision and at the other.

    Attributes:
        loss: its scores.
        found: how it compares with the baseline; None of the baseline itself.
        other_loss: its scores at the other decision; None where these were not recorded.
        other: how it compares there; None as of the two before.
    """

    loss: LossSummary
    found: Comparison | None
    other_loss: LossSummary | None
    other: Comparison | None


def summarise(finished: Iterable[FinishedRun]) -> list[LossSummary]:
    """One summary for each setting and loss, in the order of training; of equal runs the last."""
    found = []
    for losses in by_setting(finished).values():
        runs = [run for of_loss in losses.values() for run in of_loss.values() if run.class_counts]
        rare = int(np.sum([run.class_counts for run in runs], axis=0).argmin()) if runs else None
        found += [_summary(of_loss, rare) for of_loss in losses.values()]
    return found


def not_compared(runs: Sequence[FinishedRun], comparisons: Sequence[Comparison]) -> list[str]:
    """A sentence on each finished run, or group of runs, that is in no comparison."""
    losses = summarise(runs)
    again = len(runs) - sum(len(loss.runs) for loss in losses)
    several = f"{again} runs are" if again > 1 else "1 run is"
    notes = [f"{several} older than another of the same loss, setting and seed"] if again else []
    compared = {(one.setting, label) for one in comparisons for label in (one.label, one.baseline)}
    return notes + [
        f"without a pair: {loss.short} on {loss.title} "
        f"(seed{'s' if len(loss.seeds) > 1 else ''} {', '.join(map(str, loss.seeds))})"
        for loss in losses
        if (loss.setting, loss.label) not in compared
    ]


def _summary(by_seed: Mapping[int, FinishedRun], rare: int | None) -> LossSummary:
    runs = tuple(by_seed[seed] for seed in sorted(by_seed))
    names = dict.fromkeys(name for run in runs for name in run.metrics if name.startswith(PREFIXES))
    columns = {name: [run.metrics[name] for run in runs if name in run.metrics] for name in names}
    classes = runs[0].class_names
    return LossSummary(
        setting=runs[0].setting,
        title=runs[0].title,
        label=runs[0].label,
        runs=runs,
        means={name: float(np.mean(column)) for name, column in columns.items()},
        spreads={
            name: float(np.std(column, ddof=1))
            for name, column in columns.items()
            if len(column) > 1
        },
        rare=rare,
        rare_name=classes[rare] if rare is not None and rare < len(classes) else str(rare),
    )
