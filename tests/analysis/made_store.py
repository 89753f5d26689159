"""Runs made by hand: as the readers give them, and as a store holds them."""

import json
from dataclasses import dataclass
from itertools import starmap
from pathlib import Path

import numpy as np
from mlflow.entities import Dataset, DatasetInput, Metric, Param, RunTag
from mlflow.tracking import MlflowClient
from sklearn.metrics import f1_score

from src.analysis.runs import FinishedRun
from src.evaluation.decision import prior_offsets
from src.evaluation.scores import score_decisions

LOSSES = {"ce": "ce", "focal(gamma=2)": "focal", "weighted_ce": "weighted_ce"}
FOCAL = "focal(gamma=2, alpha=0.25)"
SEEDS = range(7)
COUNTS = (190, 10)
ROWS = {"train": 600, "val": 200, "test": 200, "test_rarest": 10}


@dataclass(frozen=True)
class MadeStore:
    """The store, its sweep, and what went into it."""

    root: Path
    client: MlflowClient
    sweep_id: str
    run_ids: dict[tuple[str, int], str]
    predictions: dict[tuple[str, int], dict[str, np.ndarray]]


def new_experiment(root, empty_store, name):
    """A client of a new store, and the experiment in it."""
    empty_store(root)
    client = MlflowClient(f"sqlite:///{root / 'mlflow.db'}")
    return client, client.create_experiment(name, (root / "artifacts").as_uri())


def made_run(label, seed, f1, tuned=None, **changes):
    """A finished run as the readers give it."""
    metrics = {"test_f1_macro": f1} | ({} if tuned is None else {"test_tuned_f1_macro": tuned})
    facts = {
        "run_id": f"{label}-{seed}",
        "loss": label.partition("(")[0],
        "label": label,
        "seed": seed,
        "setting": "one",
        "title": "simulated, mlp",
        "fingerprint": f"split-{seed}",
        "ended_ms": 1,
        "metrics": metrics,
        **{f"rows_{split}": rows for split, rows in ROWS.items()},
    }
    return FinishedRun(**{**facts, **changes})


def scored(test, val, tuned=None, val_tuned=None, ece=0.02):
    """Metrics of a run: macro F1 by argmax and tuned, on the test and the validation split."""
    return {
        "test_f1_macro": test,
        "test_tuned_f1_macro": test if tuned is None else tuned,
        "val_crossfit_f1_macro": val,
        "val_tuned_crossfit_f1_macro": val if val_tuned is None else val_tuned,
        "best_val_ece": ece,
        "val_tuned_ece": ece,
    }


def predictions_of(label, seed):
    """Labels and logits: every loss sees the same rows, and separates them a little better."""
    rows = np.random.default_rng(seed)
    noise = np.random.default_rng([seed, len(label)])
    shift = {"ce": 1.6, "focal(gamma=2)": 2.2, "weighted_ce": 2.4}[label]
    arrays = {"class_names": np.array(["many", "few"])}
    for split, count in (("val", 150), ("test", 200)):
        y = (rows.random(count) < 0.15).astype(np.int64)
        y[:2] = [0, 1]
        margin = shift * (2 * y - 1) - 1 + noise.normal(0, 1.5, count)
        logits = np.stack([np.zeros(count), margin], axis=1).astype(np.float32)
        arrays |= {f"y_{split}": y, f"{split}_logits": logits}
    return arrays


def metrics_of(arrays):
    """What a run of train.py records for these predictions."""
    logits = arrays["val_logits"], arrays["test_logits"]
    by_decision = dict.fromkeys(("argmax", "tuned", "prior"), logits)
    prior = prior_offsets(np.array([850, 150]))
    found = score_decisions(arrays["y_val"], arrays["y_test"], by_decision, prior).values
    val = f1_score(arrays["y_val"], arrays["val_logits"].argmax(axis=1), average="macro")
    chosen_by = ("val_crossfit_f1_macro", "val_tuned_crossfit_f1_macro", "best_val_ece")
    return found | {"seconds_fit": 2.5} | dict(zip(chosen_by, (val, val - 0.01, 0.05), strict=True))


def log_run(
    client,
    experiment_id,
    label,
    seed,
    metrics,
    *,
    status="FINISHED",
    parent_id=None,
    params=(),
    **tags,
):
    """One run that has ended, with tags, parameters, metrics and data set."""
    known = {
        "loss": LOSSES.get(label, label),
        "loss.label": label,
        "seed": str(seed),
        "setting": "s" * 64,
        "data": "made",
        "model": "mlp",
        "data.fingerprint": f"split-{seed}",
        "data.estimand": "samples",
        **{f"data.rows_{split}": str(rows) for split, rows in ROWS.items()},
        "identity": f"{label}-{seed}",
    }
    if parent_id:
        known |= {f"sweep.{parent_id}": "trained", "mlflow.parentRunId": parent_id}
    run_id = client.create_run(
        experiment_id, tags=known | tags, run_name=f"{label} seed {seed}"
    ).info.run_id
    client.log_batch(
        run_id,
        metrics=[Metric(name, value, 1, 0) for name, value in metrics.items()],
        params=[Param("seed", str(seed)), Param("training.epochs", "5"), *starmap(Param, params)],
        tags=[RunTag("best_epoch", "3")],
    )
    schema = json.dumps({"class_names": ["many", "few"], "input_shape": [2]})
    profile = json.dumps({"train_rows_by_class": list(COUNTS)})
    dataset = Dataset("made", f"digest-{seed}", "local", "{}", schema, profile)
    client.log_inputs(run_id, [DatasetInput(dataset)])
    client.set_terminated(run_id, status)
    return run_id


def log_sweep(client, experiment_id, runs, **tags):
    """A sweep of runs given as label, seed, learning rate and metrics; returns its id."""
    parent = client.create_run(experiment_id, tags={"sweep.command": "train.py -m", **tags})
    for label, seed, rate, metrics in runs:
        params = [("training.learning_rate", rate), ("training.optimizer.learning_rate", rate)]
        facts = {"parent_id": parent.info.run_id, "params": params, "setting": f"rate {rate}"}
        log_run(client, experiment_id, label, seed, metrics, **facts)
    client.set_terminated(parent.info.run_id)
    return parent.info.run_id
