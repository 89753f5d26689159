"""Trains a recorded run again from its record alone, and holds the results against it."""

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
from mlflow.entities import Run

from src.data.dataset import Dataset
from src.engine.build import load_dataset
from src.errors import UserError
from src.runs import record
from src.runs.identity import code_of, git_state, library_versions, run_identity
from src.runs.import_tensorflow import import_tensorflow
from src.runs.record_reader import Recorded, read_record, read_weights
from src.tracking.fetch import download, finished_run, model_of
from src.tracking.store import Store


@dataclass(frozen=True)
class Difference:
    """One quantity that came out otherwise.

    Attributes:
        what: a metric with its epoch, an array, or a weight.
        recorded: its value in the record, or a summary of an array.
        again: its value now.
        by: largest absolute difference; NaN where shapes differ.
    """

    what: str
    recorded: str
    again: str
    by: float


@dataclass(frozen=True)
class Rerun:
    """A run that was executed again.

    Attributes:
        name: of the run.
        compared: how many numbers were held against the record.
        differences: what came out otherwise; empty where all is identical to the bit.
        allowed: what of data, versions or code is not as recorded, and was allowed.
    """

    name: str
    compared: int
    differences: list[Difference]
    allowed: list[str]


def rerun(store: Store, run_id: str, *, allow_different: bool = False) -> Rerun:
    """Executes a recorded run again and compares every number.

    Args:
        store: holds the record.
        run_id: of a finished run.
        allow_different: go on where data, library versions or code are not as recorded.

    Raises:
        UserError: where there is no such record, or something is not as recorded.
    """
    run = finished_run(store, run_id, f"--sweep {run_id} executes a sweep's runs again")
    with tempfile.TemporaryDirectory() as draft:
        folder = download(store, f"runs:/{run_id}/", draft)
        recorded = read_record(folder)
        config = recorded.config | {"training": recorded.config["training"] | {"progress": True}}
        dataset = load_dataset(config["data"])
        differs = _preconditions(run.data.tags, config, dataset)
        if differs and not allow_different:
            listed = "\n  ".join(differs)
            raise UserError(
                f"run {run_id} cannot be executed as recorded:\n  {listed}\n"
                "--allow-different executes it all the same and reports what comes out"
            )
        model_folder = None
        if model := model_of(store, run):
            model_folder = download(store, model.artifact_location, f"{draft}/model")
        pairs = list(_pairs(run, config, dataset, recorded, model_folder))
    differences = [found for pair in pairs if (found := _difference(*pair)) is not None]
    compared = sum(np.size(new) for _, _, new in pairs)
    return Rerun(run.info.run_name, compared, differences, differs)


def _pairs(
    run: Run,
    config: dict[str, Any],
    dataset: Dataset,
    recorded: Recorded,
    model_folder: Path | None,
) -> Iterator[tuple[str, Any, Any]]:
    """Trains again; each quantity by name, as recorded and as it came out."""
    import_tensorflow()
    from src.engine.fit import train
    from src.evaluation.scores import score

    trained = train(config, dataset, run.info.run_name)
    epochs = zip_longest(recorded.history, trained.history)
    for epoch, (before, now) in enumerate(epochs, start=1):
        for name in {**(before or {}), **(now or {})}:
            if name not in {"epoch", "time_ms"}:
                yield f"epoch {epoch}: {name}", (before or {}).get(name), (now or {}).get(name)
    yield "validation logits", recorded.logits["val"], trained.val_logits
    yield "test logits", recorded.logits["test"], trained.test_logits
    for name, value in score(dataset.y_test, trained.test_logits).values.items():
        yield f"test_{name}", run.data.metrics.get(f"test_{name}"), value
    if model_folder is not None:  # read last: an operation before training would fix the threads
        for old, variable in zip_longest(read_weights(model_folder), trained.model.weights):
            new = None if variable is None else variable.numpy()
            yield f"weights: {getattr(variable, 'path', 'one more')}", old, new


def _difference(what: str, old: Any, new: Any) -> Difference | None:
    """None where both are the same to the bit; NaN equals NaN."""
    if old is None or new is None:
        return Difference(what, str(old), str(new), float("nan"))
    a, b = np.asarray(old), np.asarray(new)
    if a.shape != b.shape:
        return Difference(what, f"shape {a.shape}", f"shape {b.shape}", float("nan"))
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    if same.all():
        return None
    gap = np.abs(a.astype(np.float64) - b.astype(np.float64))
    widest = int(np.where(same, -1.0, np.nan_to_num(gap, nan=np.inf)).argmax())
    return Difference(
        what, repr(a.flat[widest].item()), repr(b.flat[widest].item()), float(gap.flat[widest])
    )


def _preconditions(
    tags: Mapping[str, str], config: Mapping[str, Any], dataset: Dataset
) -> list[str]:
    """What must be as recorded, and is not."""
    differs = []
    fingerprint = tags.get("data.fingerprint", "none")
    if dataset.fingerprint != fingerprint:
        differs.append(
            f"data: fingerprint {fingerprint[:16]}… recorded, "
            f"{dataset.fingerprint[:16]}… today ({dataset.source})"
        )
    for name, version in library_versions().items():
        before = tags.get(f"version.{name}", "none")
        if version != before:
            differs.append(f"{name}: version {before} recorded, {version} installed")
    if code_of(config) != tags.get("code"):
        commit = tags.get("mlflow.source.git.commit", "none")
        changed = " with changes" if tags.get("git.changed") == "true" else ""
        differs.append(
            f"code: commit {commit}{changed} recorded, {git_state()[0]} here, and they differ"
        )
    identity = run_identity(config, dataset)
    if not differs and identity != tags["identity"]:
        differs.append(
            f"config: identity {tags['identity'][:16]}… recorded, "
            f"{identity[:16]}… from {record.CONFIG}: the file was changed"
        )
    return differs
