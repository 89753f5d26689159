"""Parameters and metrics as rows of MLflow's database, a statement for each table.

MLflow's client makes several objects of each value: for the epochs of a short run that takes as
long as training it. Where the store is a database that this process writes to itself, the rows of a
run that has none of them go in at once; whatever else comes up is the client's.
``tests/tracking/test_rows.py`` holds them to what the client leaves.
"""

from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any

from mlflow.entities import LifecycleStage, Metric
from mlflow.store.tracking.dbmodels.models import (
    SqlLatestMetric,
    SqlLoggedModelMetric,
    SqlLoggedModelParam,
    SqlMetric,
    SqlParam,
    SqlRun,
)
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
from mlflow.tracking import MlflowClient
from mlflow.utils.validation import (
    MAX_METRICS_PER_BATCH,
    MAX_PARAMS_TAGS_PER_BATCH,
    _validate_metric_name,
    _validate_param,
)
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

Row = dict[str, Any]


def log_metrics(client: MlflowClient, run_id: str, metrics: Sequence[Metric]) -> None:
    """Logs metrics to a run; those that are there already change nothing.

    Args:
        client: of the store.
        run_id: of the run.
        metrics: with floats for values; those of a logged model say which.

    Raises:
        MlflowException: where a name is none, or the store refuses them.
    """
    store = _database(client)
    if store is not None and metrics:
        for name in {metric.key for metric in metrics}:
            _validate_metric_name(name)
        rows = [_metric(store, run_id, metric) for metric in metrics]
        of_models = [
            _of_model(row, metric.model_id)
            for row, metric in zip(rows, metrics, strict=True)
            if metric.model_id is not None
        ]
        # The latest first: in a run that has values of these names that is what fails, at once.
        tables = {SqlLatestMetric: _latest(rows), SqlMetric: rows, SqlLoggedModelMetric: of_models}
        if _insert(store, run_id, tables):
            return
    for start in range(0, len(metrics), MAX_METRICS_PER_BATCH):
        client.log_batch(run_id, metrics=metrics[start : start + MAX_METRICS_PER_BATCH])


def log_params(client: MlflowClient, run_id: str, params: Mapping[str, str]) -> None:
    """Logs parameters to a run; those that are there already change nothing.

    Args:
        client: of the store.
        run_id: of the run.
        params: values by name.

    Raises:
        MlflowException: where a name is none, or the store refuses them.
    """
    store = _database(client)
    checked = [_validate_param(name, value) for name, value in params.items()]
    if store is not None:
        rows = [{"run_uuid": run_id, "key": one.key, "value": one.value} for one in checked]
        if _insert(store, run_id, {SqlParam: rows}):
            return
    for start in range(0, len(checked), MAX_PARAMS_TAGS_PER_BATCH):
        client.log_batch(run_id, params=checked[start : start + MAX_PARAMS_TAGS_PER_BATCH])


def log_model_params(
    client: MlflowClient, run_id: str, model_id: str, params: Mapping[str, str]
) -> None:
    """Shows parameters with a logged model that has none.

    Args:
        client: of the store.
        run_id: of the run that the model is from.
        model_id: of the model.
        params: values by name.

    Raises:
        MlflowException: where the store refuses them.
    """
    store = _database(client)
    rows = [
        {"model_id": model_id, "param_key": name, "param_value": value}
        for name, value in params.items()
    ]
    if store is None or not _insert(store, run_id, {SqlLoggedModelParam: rows}):
        client.log_model_params(model_id, dict(params))


def _database(client: MlflowClient) -> SqlAlchemyStore | None:
    """The store itself, where this process writes to its database."""
    store = getattr(getattr(client, "_tracking_client", None), "store", None)
    return store if type(store) is SqlAlchemyStore else None


def _insert(store: SqlAlchemyStore, run_id: str, tables: Mapping[Any, Sequence[Row]]) -> bool:
    """Adds rows that belong to an active run, all of them or none.

    Returns:
        Whether they are there now: not where one was already, nor where the run is not active.
    """
    with store.ManagedSessionMaker(read_only=False) as session:
        run = session.get(SqlRun, run_id)
        if run is None or run.lifecycle_stage != LifecycleStage.ACTIVE:
            return False
        try:
            for table, rows in tables.items():
                columns = table.__table__.columns
                more = {"experiment_id": run.experiment_id} if "experiment_id" in columns else {}
                if rows:
                    session.execute(insert(table.__table__), [row | more for row in rows])
        except IntegrityError:
            session.rollback()
            return False
    return True


def _metric(store: SqlAlchemyStore, run_id: str, metric: Metric) -> Row:
    is_nan, value = store.sanitize_metric_value(metric.value)
    return {
        "run_uuid": run_id,
        "key": metric.key,
        "value": value,
        "timestamp": metric.timestamp,
        "step": metric.step,
        "is_nan": is_nan,
    }


def _latest(rows: Sequence[Row]) -> list[Row]:
    """The last value of each metric; of several at one step and time the greatest."""
    latest: dict[str, Row] = {}
    for row in sorted(rows, key=itemgetter("step", "timestamp", "value")):
        latest[row["key"]] = row
    return list(latest.values())


def _of_model(row: Row, model_id: str) -> Row:
    return {
        "model_id": model_id,
        "metric_name": row["key"],
        "metric_timestamp_ms": row["timestamp"],
        "metric_step": row["step"],
        "metric_value": row["value"],
        "run_id": row["run_uuid"],
    }
