"""Finished runs, as rows that can be compared."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from src.analysis.stored import StoredRun

SCORE = {"argmax": "test_f1_macro", "tuned": "test_tuned_f1_macro"}
"""The metric that is compared, by decision."""
DECISIONS = tuple(SCORE)
REQUIRED_TAGS = ("loss", "loss.label", "seed", "setting", "data", "model", "data.fingerprint")
NOT_OF_THE_SETTING = ("loss.", "metric.")
"""Parameters that differ between the runs of one setting."""


@dataclass(frozen=True)
class FinishedRun:
    """One finished run.

    Attributes:
        run_id: in MLflow.
        loss: name of the loss.
        label: the loss with the knobs it uses.
        seed: of splits and training.
        setting: the same for runs that differ in loss and seed alone.
        place: data and model, and what else sets its setting apart, for people.
        fingerprint: of the data splits.
        ended_ms: when it ended.
        metrics: all final metrics.
        params: the resolved config, flat, as text.
        experiment_id: where it lies in MLflow.
        artifacts: address of its artifacts.
        class_names: K names; empty where no data set was logged.
        class_counts: training rows of each class; empty where no data set was logged.
        data: name of the data set; of a table its file's.
    """

    run_id: str
    loss: str
    label: str
    seed: int
    setting: str
    place: str
    fingerprint: str
    ended_ms: int
    metrics: dict[str, float]
    params: dict[str, str] = field(default_factory=dict)
    experiment_id: str = ""
    artifacts: str = ""
    class_names: tuple[str, ...] = ()
    class_counts: tuple[int, ...] = ()
    data: str = ""

    def score(self, decision: str) -> float | None:
        """Macro F1 on the test split, 0 to 1; None where it was not recorded."""
        return self.metrics.get(SCORE[decision])


def finished_run(stored: StoredRun) -> FinishedRun:
    """A run of the store that has all of ``REQUIRED_TAGS``."""
    tags = stored.tags
    return FinishedRun(
        run_id=stored.run_id,
        loss=tags["loss"],
        label=tags["loss.label"],
        seed=int(tags["seed"]),
        setting=tags["setting"],
        place=f"{tags['data']}, {tags['model']}",
        fingerprint=tags["data.fingerprint"],
        ended_ms=stored.ended_ms,
        metrics=stored.metrics,
        params=stored.params,
        experiment_id=stored.experiment_id,
        artifacts=stored.artifacts,
        class_names=stored.class_names,
        class_counts=stored.class_counts,
        data=tags["data"],
    )


def latest_of_each(runs: Iterable[FinishedRun]) -> dict[tuple[str, str, int], FinishedRun]:
    """The last run of each setting, loss and seed."""
    latest: dict[tuple[str, str, int], FinishedRun] = {}
    for run in sorted(runs, key=lambda run: run.ended_ms):
        latest[run.setting, run.label, run.seed] = run
    return latest


def with_places(runs: Sequence[FinishedRun]) -> list[FinishedRun]:
    """The runs, with the parameters that tell settings of the same data and model apart.

    Args:
        runs: of any number of settings.
    """
    one_of: dict[str, dict[str, FinishedRun]] = defaultdict(dict)
    for run in runs:
        one_of[run.place].setdefault(run.setting, run)
    places = {
        setting: f"{place}{_difference(run, list(alike.values()))}"
        for place, alike in one_of.items()
        for setting, run in alike.items()
    }
    return [replace(run, place=places[run.setting]) for run in runs]


def rarest_class(runs: Iterable[FinishedRun]) -> int | None:
    """The class with the fewest training rows over the runs, of equals the first.

    Returns:
        Its number; None where no run was logged with its data set.
    """
    counts = [run.class_counts for run in runs if run.class_counts]
    if not counts:
        return None
    totals = [sum(column) for column in zip(*counts, strict=False)]
    return totals.index(min(totals))


def _difference(run: FinishedRun, alike: Sequence[FinishedRun]) -> str:
    """What sets one setting apart from others with the same data and model."""
    if len(alike) == 1:
        return ""
    names = sorted({name for other in alike for name in other.params})
    words = [
        f"{name}={run.params.get(name, 'unset')}"
        for name in names
        if not name.startswith(NOT_OF_THE_SETTING)
        and name.rpartition(".")[2] != "seed"
        and len({other.params.get(name) for other in alike}) > 1
    ]
    return f", {', '.join(words)}" if words else f", setting {run.setting[:8]}"
