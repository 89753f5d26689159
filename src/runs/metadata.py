"""Describes a run before it is trained: its name, tags, parameters and data set."""

import platform
from collections.abc import Mapping
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
    """The metadata of a run.

    Args:
        config: the resolved config.
        dataset: what it is trained on.
    """
    if is_reference(config):
        return _describe_reference(config, dataset)
    label, identity = run_label(config), run_identity(config, dataset)
    model, data = config["model"]["name"], dataset.name
    seed = config["seed"]
    return RunMetadata(
        identity=identity,
        name=f"{short_label(label)} · {model} · {data}{_trial(config)} · seed {seed}",
        description=(
            f"**{short_label(label)}** with model **{model}** on **{data}**, seed {seed}.\n\n"
            f"{dataset.describe()}.\n\nBest epoch by `{config['training']['monitor']}`; "
            "the test split was used once, after that."
        ),
        tags=_tags(config, dataset, label, identity),
        params=flat_params(config),
        dataset=_dataset_facts(dataset),
    )


def _describe_reference(config: Mapping[str, Any], dataset: Dataset) -> RunMetadata:
    """The metadata of a run that fits an estimator."""
    label, identity = run_label(config), run_identity(config, dataset)
    seed = config["seed"]
    kept = {key: value for key, value in config.items() if key not in OF_NETWORKS}
    return RunMetadata(
        identity=identity,
        name=f"{short_label(label)} · {dataset.name} · seed {seed}",
        description=(
            f"**{short_label(label)}** on **{dataset.name}**, seed {seed}, for scale.\n\n"
            f"{dataset.describe()}.\n\nThe test split was used once."
        ),
        tags=_tags(config, dataset, label, identity),
        params=flat_params(kept) | {"training.seed": str(config["training"]["seed"])},
        dataset=_dataset_facts(dataset),
    )


def _trial(config: Mapping[str, Any]) -> str:
    """Which trial of a loss a run is: its values of the tuned keys that the loss's label lacks."""
    params = flat_params(config)
    keys = [key for key in config.get("tuning", {}).get("keys", ()) if not key.startswith("loss.")]
    return "".join(f" · {key.rpartition('.')[2]} {params[key]}" for key in keys if key in params)


def flat_params(config: Mapping[str, Any]) -> dict[str, str]:
    """The resolved config as dotted keys and text values, tracking itself left out."""
    kept = {key: value for key, value in config.items() if key not in UNTRACKED}
    return {key: str(value)[:LONGEST_VALUE] for key, value in _flatten(kept).items()}


def _flatten(node: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in node.items():
        if isinstance(value, Mapping) and value:
            flat |= _flatten(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def _tags(config: Mapping[str, Any], dataset: Dataset, label: str, identity: str) -> dict[str, str]:
    commit, changed = git_state()
    reference = is_reference(config)
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


def _dataset_facts(dataset: Dataset) -> dict[str, Any]:
    return {
        "name": dataset.name,
        "source": dataset.source,
        "fingerprint": dataset.fingerprint,
        "input_shape": list(dataset.input_shape),
        "class_names": list(dataset.class_names),
        "class_counts": list(dataset.class_counts),
        "rows": dataset.rows,
    }
