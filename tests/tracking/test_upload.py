"""The folder is the source of truth: an upload brings it into a store, once."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from src.errors import UserError
from src.runs.recorded import record
from src.runs.recorded.record import RunRecord
from src.tracking import upload as uploading
from src.tracking.columns import columns_of
from src.tracking.database import database_file
from src.tracking.mlflow_tracker import MLflowTracker
from src.tracking.plots import draw_pictures
from src.tracking.store import Store
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
def uploaded(sweep, empty_store, tmp_path_factory):
    """A job's folder without its memory of MLflow, brought into an empty store."""
    base = tmp_path_factory.mktemp("upload")
    folder = base / "job"
    shutil.copytree(sweep.folder / "5", folder)
    (folder / "mlflow.json").unlink()
    empty_store(base / "mlruns")
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


def test_a_record_of_an_earlier_version_is_that_of_the_same_run(uploaded, tmp_path):
    folder, store, run_id = uploaded
    other = shutil.copytree(folder, tmp_path / "job")
    content = json.loads((other / record.RECORD).read_text())
    content["head"] = content.pop("metadata")
    record.write_json(other / record.RECORD, content)
    assert RunRecord.load(other) == RunRecord.load(folder)
    assert upload(other, store) == run_id


def test_a_run_that_keeps_its_scores_alone_has_them_rounded_in_the_table(uploaded, tmp_path):
    folder, store, _ = uploaded
    job = shutil.copytree(folder, tmp_path / "job")
    (job / record.MLFLOW).unlink()
    content = json.loads((job / record.RECORD).read_text())
    content["metadata"]["tags"]["detail"] = "scores"
    record.write_json(job / record.RECORD, content)
    run = store.client.get_run(upload(job, store))
    try:
        assert run.data.tags["test F1"] == f"{run.data.metrics['test_f1_macro']:.4f}"
        names = ("val F1", "test F1", "tuned F1", "ECE")
        assert columns_of([run]) == [f"tags.`{name}`" for name in names]
    finally:
        store.client.delete_run(run.info.run_id)


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


def test_a_folder_without_a_whole_record_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"holds no finished run \(no run\.json\)"):
        upload(tmp_path)
    with pytest.raises(UserError, match="holds no finished run"):
        upload(Path(__file__))
    (tmp_path / "run.json").write_text('{"head": ')
    with pytest.raises(UserError, match=r"run\.json: is not a run's record"):
        upload(tmp_path)


def test_the_command_names_folder_and_run(uploaded, monkeypatch, capsys):
    folder, store, run_id = uploaded
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store.uri)
    assert uploading.main([str(folder)]) == 0
    assert capsys.readouterr().out == f"{folder}: run {run_id}\n"


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
    root = str(database_file(store.uri).parent)
    return job, MLflowTracker({**RunRecord.load(job).tracking, "root": root}, None)


def run_of(job):
    return json.loads((job / record.MLFLOW).read_text())["run_id"]


def test_a_run_that_was_deleted_while_it_was_trained_is_made_anew(followed):
    job, tracker = followed
    with tracker.following(RunRecord.load(job).metadata, job):
        begun = run_of(job)
        tracker.store.client.delete_run(begun)
        assert tracker.finish(job, history_sent=False)
    assert run_of(job) != begun
    assert tracker.store.client.get_run(run_of(job)).info.status == "FINISHED"


def test_results_that_cannot_be_uploaded_are_safe_and_the_warning_has_the_command(followed, caplog):
    job, tracker = followed
    (job / record.CURVES_PLOT).unlink()
    (job / record.CURVES_PLOT).mkdir()
    with tracker.following(RunRecord.load(job).metadata, job):
        assert not tracker.finish(job, history_sent=False)
    assert f"results are safe in {job} but not uploaded" in caplog.text
    assert f"python -m src.tracking.upload {job}" in caplog.text
    (job / record.CURVES_PLOT).rmdir()
    assert upload(job, tracker.store) == run_of(job)
    run = tracker.store.client.get_run(run_of(job))
    assert run.info.status == "FINISHED"
    assert len(run.outputs.model_outputs) == 1


# --- pictures -----------------------------------------------------------------------------------
@pytest.fixture
def drawn(tmp_path):
    """Draws the pictures of a run's folder, and reads their pixels."""
    header = '"plain ""quoted"", and cut","other"'

    def draw(matrix="9,1\n2,3\n", epochs=3):
        rows = [
            {"epoch": n, "time_ms": n, "loss": 1 / n, "val_f1_macro": 0.5} for n in range(1, epochs)
        ]
        record.write_history(tmp_path / record.HISTORY, rows)
        (tmp_path / record.CONFUSION).write_text(f"{header}\n{matrix}", encoding="utf-8")
        draw_pictures(tmp_path, 2)
        names = (record.CONFUSION_PLOT, record.CURVES_PLOT)
        return [np.asarray(Image.open(tmp_path / name)) for name in names]

    return draw


def test_pictures_show_the_run_and_nothing_of_the_one_before(drawn):
    first, other, again = drawn(), drawn("0,70\n800,0\n", epochs=9), drawn()
    for one, two, three in zip(first, other, again, strict=True):
        np.testing.assert_array_equal(one, three)
        assert not np.array_equal(one, two)
