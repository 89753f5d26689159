"""Describes a run before it is trained: its name, tags, parameters and data set."""

import platform
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from src.config.check import FULL
from src.data.dataset import Dataset
from src.runs.identity import (
    code_of,
    git_state,
    is_reference,
    library_versions,
    run_identity,
    setting_identity,
)
from src.runs.labels import run_label, short_label
from src.runs.recorded.record import DETAIL_TAG, RunMetadata

UNTRACKED = ("tracking", "force", "resume", "compare", "references", "report")
OF_NETWORKS = ("loss", "metric", "model", "training", "tuning")
"""Sections of the config that have no part in a run of an estimator."""
LONGEST_VALUE = 500


def describe_run(config: Mapping[str, Any], dataset: Dataset) -> RunMetadata:
    """The metadata of a run, by its resolved config and what it is trained on."""
    short, seed, training = short_label(run_label(config)), config["seed"], config["training"]
    if is_reference(config):
        name, how = f"{short} · {dataset.name}", f"on **{dataset.name}**, seed {seed}, for scale"
        tested = "The test split was used once."
        kept = {key: value for key, value in config.items() if key not in OF_NETWORKS}
        kept["training"] = {"seed": training["seed"]}
    else:
        model, kept = config["model"]["name"], dict(config)
        name = f"{short} · {model} · {dataset.name}{_trial(config)}"
        how = f"with model **{model}** on **{dataset.name}**, seed {seed}"
        tested = f"Best epoch by `{training['monitor']}`; the test split was used once, after that."
    identity = run_identity(config, dataset)
    return RunMetadata(
        identity=identity,
        name=f"{name} · seed {seed}",
        description=f"**{short}** {how}.\n\n{dataset.describe()}.\n\n{tested}",
        tags=_tags(config, dataset, identity),
        params=flat_params(kept),
        dataset={
            "name": dataset.name,
            "source": dataset.source,
            "fingerprint": dataset.fingerprint,
            "input_shape": list(dataset.input_shape),
            "class_names": list(dataset.class_names),
            "class_counts": list(dataset.class_counts),
            "rows": dataset.rows,
        },
    )


def _trial(config: Mapping[str, Any]) -> str:
    """Which trial of a loss a run is: its values of the tuned keys that the loss's label lacks."""
    params = flat_params(config)
    keys = [key for key in config.get("tuning", {}).get("keys", ()) if not key.startswith("loss.")]
    return "".join(f" · {key.rpartition('.')[2]} {params[key]}" for key in keys if key in params)


def flat_params(config: Mapping[str, Any]) -> dict[str, str]:
    """The resolved config as dotted keys and text values, tracking itself left out."""
    kept = {key: value for key, value in config.items() if key not in UNTRACKED}
    return {key: str(value)[:LONGEST_VALUE] for key, value in _flatten(kept)}


def _flatten(node: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in node.items():
        if isinstance(value, Mapping) and value:
            yield from _flatten(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _tags(config: Mapping[str, Any], dataset: Dataset, identity: str) -> dict[str, str]:
    commit, changed = git_state()
    reference, label = is_reference(config), run_label(config)
    names = () if reference else ("model", "metric")
    detail = config.get("tracking", {}).get("detail", FULL)
    tags = {name: config[name]["name"] for name in names} | {
        "run.kind": "reference" if reference else "network",
        "loss": config["estimator" if reference else "loss"]["name"],
        "loss.label": label,
        "loss.short": short_label(label),
        "data": dataset.name,
        "data.family": dataset.family,
        "data.source": dataset.source[:LONGEST_VALUE],
        "seed": str(config["seed"]),
        "identity": identity,
        "setting": setting_identity(config),
        "data.fingerprint": dataset.fingerprint,
        "data.estimand": dataset.estimand,
        "data.split": dataset.split,
        "data.rows_test_rarest": str(np.count_nonzero(dataset.y_test == dataset.rarest_class)),
        "code": code_of(config),
        "git.changed": str(changed).lower(),
        "version.python": platform.python_version(),
        "mlflow.source.name": "train.py",
        "mlflow.source.type": "LOCAL",
    }
    if detail != FULL:
        tags[DETAIL_TAG] = detail
    if commit:
        tags["mlflow.source.git.commit"] = commit
    if dataset.licence:
        tags["data.licence"] = dataset.licence[:LONGEST_VALUE]
    if dataset.duplicates is not None:
        tags |= {f"data.{key}": str(rows) for key, rows in asdict(dataset.duplicates).items()}
    tags |= {f"data.rows_{split}": str(rows) for split, rows in dataset.rows.items()}
    return tags | {f"version.{name}": number for name, number in library_versions(config).items()}
