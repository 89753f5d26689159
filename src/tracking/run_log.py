"""Writes a run into the MLflow store, piece by piece; each piece may be written twice."""

import json
import random
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, Run, RunTag
from mlflow.exceptions import MlflowException

from src.runs.recorded import record
from src.runs.recorded.record import RunMetadata, RunRecord
from src.saved_model.facts import FILE as SERVING
from src.tracking.card_note import NOTE, note_of
from src.tracking.columns import column_tags
from src.tracking.process import process_tags
from src.tracking.store import Store, identity_tag

ATTEMPTS = 10
TAKEN = ("UNIQUE constraint failed", "duplicate key value", "Duplicate entry")
"""Messages of SQLite, PostgreSQL and MySQL for a row that another writer has just made."""
NOT_METRICS = ("epoch", "time_ms")
NO_CLIPPING = str(None)
ARTIFACTS = (
    record.CONFIG,
    record.HISTORY,
    record.PREDICTIONS,
    record.CONFUSION,
    record.CARD,
    SERVING,
    record.RECORD,
)
LONGEST_TAG = 5000
"""Characters of a config that a tag holds instead of a file; MLflow keeps at most 8,000."""
PICTURES = (record.CONFUSION_PLOT, record.CURVES_PLOT)


def create_run(
    store: Store, metadata: RunMetadata, parent_id: str | None, started_ms: int | None = None
) -> Run:
    """Opens a run with everything that is known before training.

    Args:
        store: holds the run.
        metadata: of the run.
        parent_id: the sweep's run, if it is part of one.
        started_ms: when training began, milliseconds since 1970; None for now.
    """
    tags = (
        metadata.tags
        | identity_tag(metadata.identity)
        | process_tags()
        | {NOTE: metadata.description}
    )
    if parent_id:
        tags |= {"mlflow.parentRunId": parent_id, f"sweep.{parent_id}": "trained"}
    run: Run = store.client.create_run(
        store.experiment_id, start_time=started_ms, tags=tags, run_name=metadata.name
    )
    if record.DETAIL_TAG not in metadata.tags:
        store.client.log_batch(run.info.run_id, params=_params(metadata))
        _log_dataset(store, run.info.run_id, _dataset_input(metadata.dataset))
    return run


def _params(metadata: RunMetadata) -> list[Param]:
    return [Param(name, value) for name, value in metadata.params.items()]


def _log_dataset(store: Store, run_id: str, given: DatasetInput) -> None:
    """Makes a data set an input of a run.

    MLflow refuses one of two runs that insert the same data set at once; tried again, it finds it.
    """
    for attempt in range(ATTEMPTS):
        try:
            store.client.log_inputs(run_id, [given])
            return
        except MlflowException as error:
            if attempt == ATTEMPTS - 1 or not any(word in str(error) for word in TAKEN):
                raise
            time.sleep(random.uniform(0, 0.1))


def log_rows(
    store: Store, run_id: str, rows: Sequence[Mapping[str, float]], params: Mapping[str, str]
) -> None:
    """Logs rows of a history in one batch; those that are there already change nothing.

    A run whose parameters have no ``model.clip_norm`` clips nothing, so its share is left out.
    """
    clips = params.get("model.clip_norm", NO_CLIPPING) != NO_CLIPPING
    left_out = NOT_METRICS if clips else (*NOT_METRICS, "clipped_fraction")
    metrics = [
        Metric(name, value, int(row["time_ms"]), int(row["epoch"]))
        for row in rows
        for name, value in row.items()
        if name not in left_out
    ]
    store.client.log_batch(run_id, metrics=metrics)


def log_results(
    store: Store, run_id: str, folder: Path, final: RunRecord, model_id: str | None
) -> None:
    """Logs the final metrics and the files of a whole run folder, whose record is ``final``.

    The run's logged model, where it has one, shows the metrics too.
    """
    metrics = [
        Metric(name, value, final.ended_ms, 0, model_id=model_id)
        for name, value in final.metrics.items()
    ]
    tags = column_tags(final.metadata.params, final.metrics)
    if final.best_epoch:
        tags["best_epoch"] = str(final.best_epoch)
    if (folder / record.CARD).exists():
        tags[NOTE] = note_of((folder / record.CARD).read_text(encoding="utf-8"))
    named: tuple[str, ...] = (*ARTIFACTS, *(PICTURES if final.tracking["plots"] else ()))
    params: list[Param] = []
    if record.DETAIL_TAG in final.metadata.tags:  # the store has the rest of its record
        params, named = _params(final.metadata), (record.CONFIG,)
        config = (folder / record.CONFIG).read_text(encoding="utf-8")
        if len(config) <= LONGEST_TAG:
            tags[record.CONFIG] = config
            named = ()
    store.client.log_batch(
        run_id, metrics=metrics, params=params, tags=[RunTag(*one) for one in tags.items()]
    )
    for name in named:
        if (folder / name).exists():
            store.client.log_artifact(run_id, str(folder / name))


def _dataset_input(facts: Mapping[str, Any]) -> DatasetInput:
    """The data set as MLflow shows it; its digest is the start of the fingerprint."""
    schema = {"input_shape": facts["input_shape"], "class_names": facts["class_names"]}
    profile = {"rows": facts["rows"], "train_rows_by_class": facts["class_counts"]}
    return DatasetInput(
        Dataset(
            name=facts["name"],
            digest=facts["fingerprint"][:36],
            source_type="local",
            source=json.dumps({"uri": facts["source"]}),
            schema=json.dumps(schema),
            profile=json.dumps(profile),
        ),
        [InputTag("mlflow.data.context", "training")],
    )
