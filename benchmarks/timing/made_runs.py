"""A store with any number of finished runs, made by MLflow's client."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import numpy as np

LOSSES = {"ce": "ce", "focal": "focal(gamma=2, alpha=0.25)"}
KNOBS, SCORES = 30, 40
"""Parameters and final metrics of a run beside its seed and its macro F1, about as many as real."""


def make_store(root: Path, runs: int, seeds: int = 10) -> dict[str, Any]:
    """Makes a store of finished sweeps, each of cross-entropy and focal loss.

    Args:
        root: an empty or missing folder.
        runs: how many, a multiple of those of a sweep; each sweep's parent comes on top.
        seeds: of a sweep, which has twice as many runs.

    Returns:
        The ``tracking`` node that opens it.
    """
    from src.tracking.store import Store

    tracking = {
        "enabled": True,
        "root": str(root),
        "uri": None,
        "experiment": "imbalance-lab",
        "log_model": True,
        "plots": True,
    }
    store = Store.open(tracking)
    random = np.random.default_rng(0)
    for _ in range(runs // (seeds * len(LOSSES))):
        tags = {"sweep.command": "train.py -m loss=ce,focal"}
        parent = store.client.create_run(store.experiment_id, tags=tags).info.run_id
        for seed in range(seeds):
            for loss in LOSSES:
                _make_run(store, parent, loss, seed, 0.7 + 0.02 * random.normal())
        store.client.set_terminated(parent)
    return tracking


def _make_run(store: Any, parent: str, loss: str, seed: int, score: float) -> None:
    from mlflow.entities import Metric, Param

    from src.tracking.store import identity_tag

    tags = {
        "loss": loss,
        "loss.label": LOSSES[loss],
        "seed": str(seed),
        "setting": "s" * 64,
        "data": "made",
        "model": "mlp",
        "data.fingerprint": f"split-{seed}",
        "data.estimand": "samples",
        **{f"data.rows_{split}": "200" for split in ("train", "val", "test", "test_rarest")},
        **identity_tag(uuid.uuid4().hex * 2),
        f"sweep.{parent}": "trained",
        "mlflow.parentRunId": parent,
    }
    name = f"{LOSSES[loss]} seed {seed}"
    run_id = store.client.create_run(store.experiment_id, tags=tags, run_name=name).info.run_id
    values = {f"test_score_{k}": score for k in range(SCORES)} | {"test_f1_macro": score}
    params = {"seed": seed} | {f"a.knob_{k}": k for k in range(KNOBS)}
    store.client.log_batch(
        run_id,
        metrics=[Metric(key, value, 0, 0) for key, value in values.items()],
        params=[Param(key, str(value)) for key, value in params.items()],
    )
    store.client.set_terminated(run_id)
