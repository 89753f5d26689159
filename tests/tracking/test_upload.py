"""The folder is the source of truth: an upload brings it into a store, once."""

import json
import shutil

import pytest
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from src.engine.epoch_logger import EpochLogger
from src.errors import UserError
from src.runs import record
from src.runs.record import RunRecord
from src.tracking import upload as uploading
from src.tracking.database import database_file
from src.tracking.drawing import Pictures
from src.tracking.store import Store
from src.tracking.tracker import MLflowTracker
from src.tracking.upload import upload


def everything(store, run_id):
    """All that the store holds of a run, files by name and content."""
    run = store.client.get_run(run_id)
    names = [*run.data.metrics]
    history = {name: store.client.get_metric_history(run_id, name) for name in names}
    files = sorted(entry.path for entry in store.client.list_artifacts(run_id))
    models = [output.model_id for output in run.outputs.model_outputs]
    points = {name: [(m.step, m.value) for m in rows] for name, rows in history.items()}
    return run.data.params, points, files, models, run.info.status, run.info.end_time


@pytest.fixture(scope="module")
def uploaded(sweep, tmp_path_factory):
    """A job's folder without its memory of MLflow, brought into an empty store."""
    base = tmp_path_factory.mktemp("upload")
    folder = base / "job"
    shutil.copytree(sweep.folder / "5", folder)
    (folder / "mlflow.json").unlink()
    store = Store.open({**sweep.tracking, "root": str(base / "mlruns")})
    return folder, store, upload(folder, store)


def test_an_upload_brings_what_the_live_run_has(client, children, uploaded):
    _, store, run_id = uploaded
    live = children["focal(gamma=2, alpha=0.25)"]
    run = store.client.get_run(run_id)
    assert run.data.params == live.data.params
    assert run.data.metrics == live.data.metrics
    assert run.info.run_name == live.info.run_name
    history = [m.value for m in store.client.get_metric_history(run_id, "val_f1_macro")]
    sent = [m.value for m in client.get_metric_history(live.info.run_id, "val_f1_macro")]
    assert sorted(history) == sorted(sent)
    assert len(history) == 4
    assert run.info.status == "FINISHED"
    assert len(run.outputs.model_outputs) == 1


def test_an_upload_again_changes_nothing(uploaded):
    folder, store, run_id = uploaded
    before = everything(store, run_id)
    assert upload(folder, store) == run_id
    assert everything(store, run_id) == before
    assert len(store.search("")) == 1


def test_a_run_that_was_deleted_in_the_store_is_made_anew(uploaded, tmp_path):
    folder, store, run_id = uploaded
    other = shutil.copytree(folder, tmp_path / "job")
    store.client.delete_run(run_id)
    try:
        again = upload(other, store)
        assert again != run_id
        assert store.client.get_run(again).info.status == "FINISHED"
    finally:
        store.client.restore_run(run_id)


def test_a_folder_without_a_finished_run_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"holds no finished run \(no run\.json\)"):
        upload(tmp_path)


def test_a_damaged_record_is_refused(tmp_path):
    (tmp_path / "run.json").write_text('{"metadata": ')
    with pytest.raises(UserError, match=r"run\.json: is not a run's record"):
        upload(tmp_path)


def test_the_command_names_folder_and_run(uploaded, monkeypatch, capsys):
    folder, store, run_id = uploaded
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store.uri)
    assert uploading.main([str(folder)]) == 0
    assert capsys.readouterr().out == f"{folder}: run {run_id}\n"


def test_a_logger_whose_tracker_fails_keeps_all_rows_and_asks_it_no_more(monkeypatch):
    monkeypatch.setattr("src.engine.epoch_logger.LEAST_WAIT", 0.0)
    monkeypatch.setattr("src.engine.epoch_logger.SHARE", float("inf"))
    sent = []

    def send(rows):
        if rows[-1]["epoch"] == 2:
            raise MlflowException("the store is away")
        sent.extend(row["epoch"] for row in rows)

    logger = EpochLogger(send)
    for epoch in range(4):
        logger.on_epoch_end(epoch, {"loss": 1.0})
    assert sent == [1]
    assert [row["epoch"] for row in logger.rows] == [1, 2, 3, 4]
    assert not logger.complete


def test_epochs_that_come_fast_are_sent_together_and_none_is_left_out():
    sent = []
    logger = EpochLogger(lambda rows: sent.append([row["epoch"] for row in rows]))
    for epoch in range(5):
        logger.on_epoch_end(epoch, {"loss": 1.0})
    logger.flush()
    logger.flush()
    assert sent == [[1], [2, 3, 4, 5]]
    assert logger.complete


def test_no_more_rows_are_held_back_than_an_end_can_wait_for(monkeypatch):
    monkeypatch.setattr("src.engine.epoch_logger.LEAST_WAIT", float("inf"))
    sent = []
    logger = EpochLogger(lambda rows: sent.append(len(rows)))
    for epoch in range(2500):
        logger.on_epoch_end(epoch, {"loss": 1.0})
    logger.flush()
    assert sent == [1, 1000, 1000, 499]


@pytest.fixture
def going_away(monkeypatch):
    """A store that stops answering with the second epoch, until the fixture is undone."""
    log_batch = MlflowClient.log_batch

    def refuse(*_, **__):
        raise MlflowException("the store is away")

    def last_words(client, run_id, metrics=(), **rest):
        if any(metric.step >= 2 for metric in metrics):
            for name in ("log_batch", "log_artifact", "set_terminated", "get_run"):
                monkeypatch.setattr(MlflowClient, name, refuse)
            refuse()
        return log_batch(client, run_id, metrics=metrics, **rest)

    monkeypatch.setattr("src.engine.epoch_logger.LEAST_WAIT", 0.0)  # the first epoch goes alone
    monkeypatch.setattr("src.engine.epoch_logger.SHARE", float("inf"))
    monkeypatch.setattr(MlflowClient, "log_batch", last_words)
    return monkeypatch


def test_a_store_that_goes_away_costs_nothing(own_words, run_here, tmp_path, going_away, caplog):
    run_here(tmp_path, *own_words, "model.hidden=[6]")
    going_away.undo()
    assert f"results are safe in {tmp_path} but not uploaded" in caplog.text
    assert f"python -m src.tracking.upload {tmp_path}" in caplog.text

    store = Store.open(RunRecord.load(tmp_path).tracking)
    (run,) = store.search("params.`model.hidden` = '[6]'")
    run_id = run.info.run_id
    assert len(store.client.get_metric_history(run_id, "val_f1_macro")) == 1
    assert upload(tmp_path) == run_id
    steps = [m.step for m in store.client.get_metric_history(run_id, "val_f1_macro")]
    assert sorted(steps) == [1, 2, 3]
    run = store.client.get_run(run_id)
    assert run.info.status == "FINISHED"
    assert "test_f1_macro" in run.data.metrics


def test_what_is_lost_of_a_run_is_drawn_when_it_is_uploaded(uploaded):
    folder, store, run_id = uploaded
    pictures = (folder / record.CONFUSION_PLOT, folder / record.CURVES_PLOT)
    for picture in pictures:
        picture.unlink()
    assert upload(folder, store) == run_id
    assert [picture.read_bytes()[:4] for picture in pictures] == [b"\x89PNG"] * 2


@pytest.fixture
def followed(uploaded, tmp_path):
    """A job's folder that belongs to no run yet, and a tracker that follows one there."""
    folder, store, _ = uploaded
    job = shutil.copytree(folder, tmp_path / "job")
    (job / record.MLFLOW).unlink()
    tracker = MLflowTracker({**RunRecord.load(job).tracking, "root": root_of(store)}, None)
    return job, tracker


def root_of(store):
    return str(database_file(store.uri).parent)


def run_of(job):
    return json.loads((job / record.MLFLOW).read_text())["run_id"]


def finish(job, tracker):
    return tracker.finish(job, Pictures(beside=False), history_sent=False)


def test_a_run_that_was_deleted_while_it_was_trained_is_made_anew(followed, monkeypatch):
    monkeypatch.setattr("src.tracking.tracker.FRESH", 0.0)
    job, tracker = followed
    with tracker.following(RunRecord.load(job).metadata, job):
        begun = run_of(job)
        tracker.store.client.delete_run(begun)
        assert finish(job, tracker)
    assert run_of(job) != begun
    assert tracker.store.client.get_run(run_of(job)).info.status == "FINISHED"


def test_a_run_deleted_just_after_a_write_is_left_to_the_command(followed, caplog):
    job, tracker = followed
    with tracker.following(RunRecord.load(job).metadata, job):
        begun = run_of(job)
        tracker.store.client.delete_run(begun)
        assert not finish(job, tracker)
    assert f"python -m src.tracking.upload {job}" in caplog.text
    again = upload(job, tracker.store)
    assert again != begun
    assert tracker.store.client.get_run(again).info.status == "FINISHED"


def test_a_run_written_to_a_moment_ago_is_not_asked_for(followed, monkeypatch):
    job, tracker = followed
    with tracker.following(RunRecord.load(job).metadata, job), monkeypatch.context() as patch:
        patch.setattr(MlflowClient, "get_run", None)
        assert finish(job, tracker)
    run = tracker.store.client.get_run(run_of(job))
    assert run.info.status == "FINISHED"
    assert len(run.outputs.model_outputs) == 1
