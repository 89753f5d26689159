"""A store with any number of finished runs: MLflow makes it, SQL fills it, in seconds."""

from __future__ import annotations

import json
import sqlite3
import time
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

PER_SWEEP = 20
EPOCHS = 20
LOSSES = {"ce": "ce", "focal": "focal(gamma=2, alpha=0.25)"}
KNOBS = 30
"""Parameters of a run beside its seed, about as many as a config has."""
SCORES = 40
"""Final metrics of a run beside its macro F1."""

Table = dict[str, list[dict[str, Any]]]


def make_store(root: Path, runs: int) -> dict[str, Any]:
    """Makes a store of finished sweeps, each cross-entropy and focal loss on ten seeds.

    Args:
        root: an empty or missing folder.
        runs: how many, a multiple of 20; each sweep's parent comes on top.

    Returns:
        The ``tracking`` node that opens it.
    """
    from src.tracking.database import database_file
    from src.tracking.store import Store

    tracking = {
        "enabled": True,
        "root": str(root),
        "uri": f"sqlite:///{root.resolve()}/mlflow.db",
        "experiment": "imbalance-lab",
        "log_model": True,
        "plots": True,
    }
    store = Store.open(tracking)
    file = database_file(store.uri)
    assert file is not None
    with sqlite3.connect(file) as database:
        for number in range(runs // PER_SWEEP):
            for table, rows in _sweep(number, store.experiment_id, root).items():
                _insert(database, table, rows)
    database.close()
    return tracking


def _insert(database: sqlite3.Connection, table: str, rows: list[dict[str, Any]]) -> None:
    names = list(rows[0])
    places = ", ".join(f":{name}" for name in names)
    columns = ", ".join(f'"{name}"' for name in names)
    database.executemany(f"INSERT INTO {table} ({columns}) VALUES ({places})", rows)


def _sweep(number: int, experiment: str, root: Path) -> Table:
    """The rows of one sweep, by table."""
    table: Table = {name: [] for name in ("runs", "tags", "params", "latest_metrics", "metrics")}
    random = np.random.default_rng(number)
    parent = uuid.UUID(bytes=random.bytes(16)).hex
    began = time.time_ns() // 10**6 - 10**9 + 10**5 * number
    place: dict[str, Any] = {"experiment": experiment, "root": root}
    _add(table, parent, f"sweep {number}", began=began, **place)
    _text(
        table["tags"],
        parent,
        {"sweep.command": "train.py -m loss=ce,focal", "sweep.identity": parent},
    )
    for seed in range(PER_SWEEP // len(LOSSES)):
        for loss, label in LOSSES.items():
            run = uuid.UUID(bytes=random.bytes(16)).hex
            _add(table, run, f"{label} seed {seed}", began=began + 1, **place)
            _text(table["tags"], run, _tags(parent, loss, label, seed))
            _text(table["params"], run, {"seed": seed, **{f"a.knob_{k}": k for k in range(KNOBS)}})
            gain = 0.03 * (loss == "focal")
            score = 0.7 + gain + 0.02 * random.normal()
            values = {f"test_score_{k}": score for k in range(SCORES)} | {"test_f1_macro": score}
            table["latest_metrics"] += list(_values(run, values, began))
            for epoch in range(EPOCHS):
                table["metrics"] += list(_values(run, {"val_f1_macro": score}, began, epoch))
    return table


def _tags(parent: str, loss: str, label: str, seed: int) -> dict[str, str]:
    from src.tracking.process import UNDER_WAY, process_tags
    from src.tracking.store import identity_tag

    identity = uuid.uuid4().hex * 2
    ended = {name: value for name, value in process_tags().items() if name != UNDER_WAY}
    return ended | {
        "loss": loss,
        "loss.label": label,
        "seed": str(seed),
        "setting": "s" * 64,
        "data": "made",
        "model": "mlp",
        "data.fingerprint": f"split-{seed}",
        "identity": identity,
        **identity_tag(identity),
        f"sweep.{parent}": "trained",
        "mlflow.parentRunId": parent,
        "mlflow.note.content": json.dumps({"made": "for a benchmark"}),
    }


def _add(table: Table, run: str, name: str, *, experiment: str, root: Path, began: int) -> None:
    row = {
        "run_uuid": run,
        "name": name,
        "source_type": "UNKNOWN",
        "user_id": "",
        "status": "FINISHED",
        "start_time": began,
        "end_time": began + 1,
        "lifecycle_stage": "active",
        "artifact_uri": f"{(root / 'artifacts').resolve().as_uri()}/{run}/artifacts",
        "experiment_id": int(experiment),
    }
    table["runs"].append(row)


def _text(rows: list[dict[str, Any]], run: str, values: Mapping[str, Any]) -> None:
    rows += [{"key": key, "value": str(value), "run_uuid": run} for key, value in values.items()]


def _values(
    run: str, values: Mapping[str, float], time_ms: int, step: int = 0
) -> Iterator[dict[str, Any]]:
    for key, value in values.items():
        yield {
            "key": key,
            "value": float(value),
            "timestamp": time_ms,
            "step": step,
            "is_nan": 0,
            "run_uuid": run,
        }
