"""Finished runs, as rows that can be compared."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from sys import intern
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlflow.entities import Run

SCORE = {
    "argmax": "test_f1_macro",
    "tuned": "test_tuned_f1_macro",
    "prior": "test_prior_f1_macro",
}
"""The metric that is compared, by decision."""
CRITERIA = {
    "argmax": "val_crossfit_f1_macro",
    "tuned": "val_tuned_crossfit_f1_macro",
    "prior": "val_prior_crossfit_f1_macro",
}
"""The metric that trials and losses are chosen by, by decision."""
CALIBRATION = {"argmax": "best_val_ece", "tuned": "val_tuned_ece", "prior": "val_prior_ece"}
"""Expected calibration error on the validation split."""
DECISIONS = tuple(SCORE)
SHOWN = ("argmax", "tuned")
"""The decisions that are compared where no other is asked for, and that may be recommended."""
OTHER = {"argmax": "tuned", "tuned": "argmax", "prior": "argmax"}
"""The decision that is shown beside the one that is judged."""
REQUIRED_TAGS = (
    *("loss", "loss.label", "seed", "setting"),
    *("data", "data.fingerprint", "data.estimand", "data.rows_test_rarest"),
    *("data.rows_train", "data.rows_val", "data.rows_test"),
)
NETWORK, REFERENCE = KINDS = ("network", "reference")
"""Kinds of runs: a network with a loss, or an estimator that only gives the scale."""
LEARNING_RATE, OPTIMIZER_RATE = "training.learning_rate", "training.optimizer.learning_rate"
COMMIT, CHANGED = "mlflow.source.git.commit", "git.changed"
SOURCE, DUPLICATES, CONFLICTS = "data.source", "data.duplicate_rows", "data.conflicting_rows"
FACTS = (COMMIT, CHANGED, SOURCE, DUPLICATES, CONFLICTS)
"""Tags that say what was compared."""
OF_THE_SETTING = ("data.", "model.", "training.")
NOT_OF_THE_SETTING = ("model.name", "training.progress", "training.tensorboard")
"""Parameters that change no result."""


@dataclass(frozen=True)
class FinishedRun:
    """One finished run.

    Attributes:
        run_id: in MLflow.
        loss: name of the loss.
        label: the loss with the knobs it uses.
        seed: of splits and training.
        setting: hash, the same for runs that differ in loss and seed alone, and in the tuned keys.
        title: data and model, and what else tells its setting from others, for people.
        fingerprint: of the data splits.
        ended_ms: when it ended, milliseconds since 1970.
        metrics: all final metrics.
        params: the resolved config, flat, as text.
        experiment_id: of its experiment in MLflow.
        artifacts: address of its artifacts.
        class_names: K names; empty where no data set was logged.
        class_counts: training rows of each class; empty where no data set was logged.
        input_shape: of one row; empty where no data set was logged.
        data: name of the data set; the file's name for a table.
        estimand: ``samples`` where each seed draws fresh data, ``table`` where it splits one anew,
            ``trainings`` where the test rows are given, ``periods`` where splits follow in time.
        split: kind of the split: ``random``, ``given``, ``group``, ``time`` or ``kfold``.
        rows_train: in the training split.
        rows_val: in the validation split.
        rows_test: in the test split.
        rows_test_rarest: of the class with the fewest training rows, in the test split.
        tuned: keys whose values were chosen by validation; empty at given settings.
        kind: one of ``KINDS``; of a reference the loss is the name of its estimator.
        family: of data sets that share rows; empty where it was not recorded.
        facts: tags of ``FACTS`` that the run has.
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
    input_shape: tuple[int, ...] = ()
    data: str = ""
    estimand: str = "samples"
    split: str = "random"
    rows_train: int = 0
    rows_val: int = 0
    rows_test: int = 0
    rows_test_rarest: int = 0
    tuned: tuple[str, ...] = ()
    kind: str = NETWORK
    family: str = ""
    facts: dict[str, str] = field(default_factory=dict)

    @property
    def terms(self) -> str:
        """The settings of its loss, for a sentence: ``at learning rate 0.001``."""
        rate = self.params.get(LEARNING_RATE, "")
        given = f"at learning rate {rate}" if rate and LEARNING_RATE not in self.tuned else ""
        own = f"each loss at its own best {key_words(self.tuned)}" if self.tuned else ""
        return ", ".join(filter(None, (own, given)))

    @property
    def setting_params(self) -> dict[str, str]:
        """The parameters that tell settings apart, seeds aside."""
        rate, again = (self.params.get(key) for key in (LEARNING_RATE, OPTIMIZER_RATE))
        return {
            name: value
            for name, value in self.params.items()
            if name.startswith(OF_THE_SETTING)
            and name not in NOT_OF_THE_SETTING
            and name.rpartition(".")[2] != "seed"
            and not (name == OPTIMIZER_RATE and rate == again)
        }

    def score(self, decision: str) -> float | None:
        """Macro F1 on the test split, 0 to 1; None where it was not recorded."""
        return self.metrics.get(SCORE[decision])

    def on_validation(self, decision: str, names: Mapping[str, str] = CRITERIA) -> float:
        """Its score by ``CRITERIA``, or by ``CALIBRATION``; NaN where it was not recorded."""
        return self.metrics.get(names[decision], float("nan"))


Settings = dict[str, dict[str, dict[int, FinishedRun]]]
"""Runs by setting, label of the loss, and seed."""


def finished_run(run: "Run") -> FinishedRun:
    """A run of the store that has all of ``REQUIRED_TAGS``."""
    tags = run.data.tags
    datasets = [entry.dataset for entry in run.inputs.dataset_inputs] if run.inputs else []
    facts = _dataset_facts(datasets[0].schema, datasets[0].profile) if datasets else {}
    best = {"best_epoch": float(tags["best_epoch"])} if "best_epoch" in tags else {}
    return FinishedRun(
        run_id=run.info.run_id,
        loss=tags["loss"],
        label=tags["loss.label"],
        seed=int(tags["seed"]),
        setting=tags["setting"],
        title=", ".join(tags[name] for name in ("data", "model") if name in tags),
        fingerprint=tags["data.fingerprint"],
        ended_ms=run.info.end_time or 0,
        metrics=best | {intern(name): value for name, value in run.data.metrics.items()},
        params={intern(name): intern(value) for name, value in run.data.params.items()},
        experiment_id=run.info.experiment_id,
        artifacts=run.info.artifact_uri or "",
        data=tags["data"],
        estimand=tags["data.estimand"],
        split=tags.get("data.split", "random"),
        rows_train=int(tags["data.rows_train"]),
        rows_val=int(tags["data.rows_val"]),
        rows_test=int(tags["data.rows_test"]),
        rows_test_rarest=int(tags["data.rows_test_rarest"]),
        kind=tags.get("run.kind", NETWORK),
        family=tags.get("data.family", ""),
        facts={name: intern(tags[name]) for name in FACTS if name in tags},
        **facts,
    )


def _dataset_facts(schema: str | None, profile: str | None) -> dict[str, Any]:
    """Classes, their training rows and the shape of a row; empty from another tool."""
    try:
        known, counts = json.loads(schema or "{}"), json.loads(profile or "{}")
        return {
            "class_names": tuple(map(str, known.get("class_names", ()))),
            "class_counts": tuple(map(int, counts.get("train_rows_by_class", ()))),
            "input_shape": tuple(map(int, known.get("input_shape", ()))),
        }
    except (ValueError, TypeError, AttributeError):
        return {}


def key_words(keys: Iterable[str]) -> str:
    """Names of keys in words: ``learning rate and gamma``."""
    return " and ".join(key.rpartition(".")[2].replace("_", " ") for key in keys)


def in_seeds(count: int) -> str:
    """``1 seed``, ``5 seeds``."""
    return f"{count} seed{'s' if count != 1 else ''}"


def by_setting(runs: Iterable[FinishedRun]) -> Settings:
    """Runs by setting, label and seed; the last one counts where several have the same three."""
    settings: Settings = defaultdict(lambda: defaultdict(dict))
    for run in sorted(runs, key=lambda run: run.ended_ms):
        settings[run.setting][run.label][run.seed] = run
    return settings


def with_titles(runs: Sequence[FinishedRun]) -> list[FinishedRun]:
    """The runs, with titles that tell settings of the same data and model apart."""
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
    params = [other.setting_params for other in alike]
    names = sorted({name for one in params for name in one} - set(run.tuned))
    words = [
        f"{name}={run.params.get(name, 'unset')}"
        for name in names
        if len({one.get(name) for one in params}) > 1
    ]
    return f", {', '.join(words)}" if words else f", setting {run.setting[:8]}"
