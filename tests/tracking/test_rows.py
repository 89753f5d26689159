"""Rows that go into the database at once are those that MLflow's client would have left."""

import math

import pytest
from mlflow.entities import Metric, Param
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient
from sqlalchemy import create_engine, text

from src.tracking import rows
from src.tracking.store import Store
from tests.tracking.postgres import missing, postgres

NAMED = {"loss": "own words", "training.seed": "7", "long": "x" * 400}
TABLES = {
    "metrics": "key, value, timestamp, step, is_nan",
    "latest_metrics": "key, value, timestamp, step, is_nan",
    "params": "key, value",
    "logged_model_metrics": "metric_name, metric_timestamp_ms, metric_step, metric_value,"
    " experiment_id, dataset_uuid, dataset_name, dataset_digest",
    "logged_model_params": "param_key, param_value, experiment_id",
}
RUN, MODEL = "run_uuid = :run", "model_id = :model"
BELONGS = dict.fromkeys(("metrics", "latest_metrics", "params"), RUN)


class ByClient:
    """What is held against: everything by the client's own calls."""

    @staticmethod
    def log_metrics(client, run_id, metrics):
        client.log_batch(run_id, metrics=metrics)

    @staticmethod
    def log_params(client, run_id, params):
        client.log_batch(run_id, params=[Param(*one) for one in params.items()])

    @staticmethod
    def log_model_params(client, run_id, model_id, params):
        client.log_model_params(model_id, params)


@pytest.fixture(
    scope="module",
    params=[
        "sqlite",
        pytest.param("postgresql", marks=pytest.mark.skipif(bool(missing()), reason=missing())),
    ],
)
def store(request, own_store):
    """A database that this process writes to itself."""
    if request.param == "sqlite":
        yield own_store
        return
    with postgres() as uri:
        there = Store.open({"root": "mlruns", "uri": uri, "experiment": "own"})
        yield there
        there.client._tracking_client.store.engine.dispose()  # else PostgreSQL waits for it to end


@pytest.fixture
def run_and_model(store):
    """Makes a run with a model; returns the ids of both."""

    def made():
        run_id = store.client.create_run(store.experiment_id).info.run_id
        logged = store.client.create_logged_model(
            store.experiment_id, "model", source_run_id=run_id
        )
        return run_id, logged.model_id

    return made


def stored(store, run_id, model_id):
    """What the database has of both, but for their ids."""
    engine = create_engine(store.uri)
    try:
        with engine.connect() as connection:
            return {
                table: sorted(
                    connection.execute(
                        text(f"SELECT {columns} FROM {table} WHERE {BELONGS.get(table, MODEL)}"),
                        {"run": run_id, "model": model_id},
                    ).fetchall(),
                    key=repr,
                )
                for table, columns in TABLES.items()
            }
    finally:
        engine.dispose()


def epochs(first, last, model_id=None):
    return [
        Metric(name, value, 1000 + epoch, epoch, model_id=model_id)
        for epoch in range(first, last)
        for name, value in (("loss", 1 / epoch), ("f1", epoch % 3), ("odd", AT.get(epoch, 0.5)))
    ]


AT = {2: math.nan, 3: math.inf, 4: -math.inf}


def batches(model_id):
    """First batches, and what a first batch is not."""
    same_step = [Metric("tied", value, at, 3) for value, at in ((0.5, 9), (0.9, 8), (0.7, 9))]
    return {
        "epochs": [epochs(1, 5)],
        "of a model": [epochs(1, 5), [Metric("test_f1", 0.25, 99, 0, model_id=model_id)]],
        "one step": [same_step],
        "an epoch goes back": [epochs(3, 5) + epochs(1, 2)],
        "more epochs": [epochs(1, 3), epochs(3, 6)],
        "once more": [epochs(1, 4), epochs(1, 4)],
        "some of them once more": [epochs(1, 4, model_id), [*epochs(2, 6), *same_step]],
        "the same twice at once": [epochs(1, 3) + epochs(1, 3)],
        "none": [[]],
    }


@pytest.mark.parametrize("case", batches(""))
def test_metrics_are_what_the_client_leaves(store, run_and_model, case):
    left = []
    for way in (rows, ByClient):
        run_id, model_id = run_and_model()
        for batch in batches(model_id)[case]:
            way.log_metrics(store.client, run_id, batch)
        left.append((stored(store, run_id, model_id), store.client.get_run(run_id)))
    assert left[0][0] == left[1][0]
    assert list(map(repr, sorted(left[0][1].data.metrics.items()))) == list(
        map(repr, sorted(left[1][1].data.metrics.items()))
    )
    assert bool(left[0][0]["metrics"]) == (case != "none")


def test_parameters_are_what_the_client_leaves(store, run_and_model):
    left = []
    for way in (rows, ByClient):
        run_id, model_id = run_and_model()
        way.log_params(store.client, run_id, NAMED)
        way.log_params(store.client, run_id, {**NAMED, "later": "1"})
        way.log_model_params(store.client, run_id, model_id, NAMED)
        left.append(stored(store, run_id, model_id))
    assert left[0] == left[1]
    assert len(left[0]["params"]) == len(left[0]["logged_model_params"]) + 1 == 4


def test_a_whole_run_needs_no_batch_of_the_client(store, run_and_model, monkeypatch):
    run_id, model_id = run_and_model()
    monkeypatch.setattr(MlflowClient, "log_batch", None)
    monkeypatch.setattr(MlflowClient, "log_model_params", None)
    rows.log_params(store.client, run_id, NAMED)
    rows.log_metrics(store.client, run_id, epochs(1, 500, model_id))  # more than in a batch
    rows.log_model_params(store.client, run_id, model_id, NAMED)
    history = store.client.get_metric_history(run_id, "loss")
    assert [metric.step for metric in history] == list(range(1, 500))


@pytest.mark.parametrize("name", ["a\tb", "/from/the/root"])
def test_a_name_that_is_none_is_refused_in_the_same_words(store, run_and_model, name):
    run_id, model_id = run_and_model()
    before = stored(store, run_id, model_id)
    for way, said in ((rows, []), (ByClient, [])):
        for log, given in (
            (way.log_metrics, [*epochs(1, 3), Metric(name, 0.5, 1, 1)]),
            (way.log_params, {**NAMED, name: "1"}),
        ):
            with pytest.raises(MlflowException) as caught:
                log(store.client, run_id, given)
            said.append(caught.value.error_code)
        assert said == ["INVALID_PARAMETER_VALUE"] * 2
    assert stored(store, run_id, model_id) == before


def test_a_deleted_run_is_refused_in_the_same_words(store, run_and_model):
    run_id, model_id = run_and_model()
    store.client.delete_run(run_id)
    said = []
    for way in (rows, ByClient):
        with pytest.raises(MlflowException) as caught:
            way.log_metrics(store.client, run_id, epochs(1, 3))
        said.append(str(caught.value))
    assert said[0] == said[1] and "deleted" in said[0]
    assert stored(store, run_id, model_id)["metrics"] == []


def test_a_server_is_asked_through_the_client(monkeypatch):
    sent = []
    monkeypatch.setattr(MlflowClient, "log_batch", lambda _, run_id, **given: sent.append(given))
    client = MlflowClient("http://127.0.0.1:9")
    rows.log_metrics(client, "1", epochs(1, 350))
    rows.log_params(client, "1", {f"key {number}": "1" for number in range(101)})
    assert [len(given["metrics"]) for given in sent[:2]] == [1000, 47]
    assert [len(given["params"]) for given in sent[2:]] == [100, 1]
