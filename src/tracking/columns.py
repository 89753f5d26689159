"""The columns of MLflow's table of runs: rounded, in tags, since the UI rounds no metric."""

from collections.abc import Mapping, Sequence

from mlflow.entities import Run

from src.runs.labels import short_label

OF_LOSS = "loss.fn."
SCORES = {
    "val F1": "val_crossfit_f1_macro",
    "test F1": "test_f1_macro",
    "tuned F1": "test_tuned_f1_macro",
    "ECE": "test_ece",
}
"""Rounded metrics, by the names of their tags."""
KNOBS = ("gamma", "alpha", "seed", "data", "model")
"""Tags that are columns where they differ, in this order."""
SPLIT = "data.split"
"""A column of a sweep where its runs differ in it."""
RATE = "training.learning_rate"


def column_tags(params: Mapping[str, str], metrics: Mapping[str, float]) -> dict[str, str]:
    """The tags that a run has for the table, from its flat config and its final metrics."""
    scores = {name: f"{metrics[key]:.4f}" for name, key in SCORES.items() if key in metrics}
    knobs = {key: params.get(f"{OF_LOSS}{key}") for key in ("gamma", "alpha")}
    return scores | {key: value for key, value in knobs.items() if value}


def missing_tags(run: Run) -> dict[str, str]:
    """The tags for the table that a run of an earlier version lacks, which answers a job."""
    wanted = column_tags(run.data.params, run.data.metrics)
    wanted |= {"loss.short": short_label(run.data.tags["loss.label"])}
    return {} if wanted.keys() <= run.data.tags.keys() else wanted


def columns_of(runs: Sequence[Run]) -> list[str]:
    """Columns of the table of runs, as MLflow names them; what is alike in all runs is left out."""
    tags = [run.data.tags | missing_tags(run) for run in runs]
    differ = [key for key in (*KNOBS, SPLIT) if len({one.get(key) for one in tags}) > 1]
    scores = [key for key in SCORES if any(key in one for one in tags)]
    rates = [f"params.`{RATE}`"] if len({run.data.params.get(RATE) for run in runs}) > 1 else []
    return [*(f"tags.`{key}`" for key in (*differ, *scores)), *rates]
