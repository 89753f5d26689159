"""Finished runs, as rows that can be compared."""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlflow.entities import Run

SCORE = {"argmax": "test_f1_macro", "tuned": "test_tuned_f1_macro"}
"""The metric that is compared, by decision."""
DECISIONS = tuple(SCORE)
OTHER = {"argmax": "tuned", "tuned": "argmax"}
"""The decision that is shown beside the one that is judged."""
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
        setting: hash, the same for runs that differ in loss and seed alone.
        title: data and model, and what else tells its setting from others, for people.
        fingerprint: of the data splits.
        ended_ms: when it ended, milliseconds since 1970.
        metrics: all final metrics.
        params: the resolved config, flat, as text.
        experiment_id: of its experiment in MLflow.
        artifacts: address of its artifacts.
        class_names: K names; empty where no data set was logged.
        class_counts: training rows of each class; empty where no data set was logged.
        data: name of the data set; the file's name for a table.
    """

    run_id: str
    loss: str
    label: str
    seed: int
    setting: str
    title: str
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


Settings = dict[str, dict[str, dict[int, FinishedRun]]]
"""Runs by setting, label of the loss, and seed."""


def finished_run(run: "Run") -> FinishedRun:
    """A run of the store that has all of ``REQUIRED_TAGS``."""
    tags = run.data.tags
    datasets = [entry.dataset for entry in run.inputs.dataset_inputs] if run.inputs else []
    names, counts = _class_facts(datasets[0].schema, datasets[0].profile) if datasets else ((), ())
    return FinishedRun(
        run_id=run.info.run_id,
        loss=tags["loss"],
        label=tags["loss.label"],
        seed=int(tags["seed"]),
        setting=tags["setting"],
        title=f"{tags['data']}, {tags['model']}",
        fingerprint=tags["data.fingerprint"],
        ended_ms=run.info.end_time or 0,
        metrics=dict(run.data.metrics),
        params=dict(run.data.params),
        experiment_id=run.info.experiment_id,
        artifacts=run.info.artifact_uri or "",
        class_names=names,
        class_counts=counts,
        data=tags["data"],
    )


def _class_facts(
    schema: str | None, profile: str | None
) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Class names and training rows of each class; empty where another tool logged the data."""
    try:
        names = json.loads(schema or "{}").get("class_names", ())
        counts = json.loads(profile or "{}").get("train_rows_by_class", ())
        return tuple(map(str, names)), tuple(map(int, counts))
    except (ValueError, TypeError, AttributeError):
        return (), ()


def by_setting(runs: Iterable[FinishedRun]) -> Settings:
    """Runs by setting, label and seed; the last one counts where several have the same three."""
    settings: Settings = defaultdict(lambda: defaultdict(dict))
    for run in sorted(runs, key=lambda run: run.ended_ms):
        settings[run.setting][run.label][run.seed] = run
    return settings


def with_titles(runs: Sequence[FinishedRun]) -> list[FinishedRun]:
    """The runs, with titles that tell settings of the same data and model apart.

    Args:
        runs: of any number of settings.
    """
    alike: dict[str, dict[str, FinishedRun]] = defaultdict(dict)
    for run in runs:
        alike[run.title].setdefault(run.setting, run)
    titles = {
        setting: f"{title}{_difference(run, list(settings.values()))}"
        for title, settings in alike.items()
        for setting, run in settings.items()
    }
    return [replace(run, title=titles[run.setting]) for run in runs]


def _difference(run: FinishedRun, alike: Sequence[FinishedRun]) -> str:
    """The parameters that tell one setting from others with the same data and model."""
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
