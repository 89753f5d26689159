"""A store that is damaged, or goes in the middle: one message, no traceback, no result lost."""

import sqlite3
from pathlib import Path

import pytest

from src.entry import guarded
from src.errors import UserError
from src.tracking.mlflow_tracker import MLflowTracker
from src.tracking.store import Store
from src.tracking.upload import upload

PAGE = 4096
WORDS = (
    "data.n_samples=300",
    "data.minority_fraction=0.2",
    "training.epochs=2",
    "tracking.log_model=false",
    "tracking.plots=false",
)


def overwrite(file):
    content = bytearray(file.read_bytes())
    for start in range(2 * PAGE, len(content), PAGE):
        content[start : start + 200] = bytes(range(200))
    file.write_bytes(content)


def cut(file):
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


@pytest.mark.parametrize("damage", [overwrite, cut])
def test_damaged_pages_are_one_message_that_names_the_store(damage, empty_store, tmp_path, capsys):
    empty_store(tmp_path)
    damage(tmp_path / "mlflow.db")
    tracking = {"root": str(tmp_path), "uri": None, "experiment": "own"}

    def command():
        MLflowTracker(tracking, None)

    assert guarded(command) == 2
    (said,) = capsys.readouterr().err.splitlines()
    assert said.startswith(f"Error: tracking store sqlite:///{tmp_path}/mlflow.db: cannot be used:")
    assert "malformed" in said
    assert "SELECT" not in said


def test_a_place_for_the_store_that_cannot_be_made_is_one_message(capsys, tmp_path):
    (tmp_path / "file").write_text("")
    for root in ("/proc/store", f"{tmp_path}/file"):
        tracking = {"root": root, "uri": None, "experiment": "own"}
        assert guarded(lambda tracking=tracking: Store.open(tracking)) == 2
        (said,) = capsys.readouterr().err.splitlines()
        assert said.startswith(f"Error: tracking store sqlite:///{root}/mlflow.db: cannot be used:")


@pytest.fixture(params=[Path.unlink, overwrite], ids=["deleted", "damaged"])
def job(request, run_here, empty_store, tmp_path):
    """The folder of a run whose store went with its first epoch."""
    empty_store(tmp_path)
    send = MLflowTracker.send

    def send_too_late(tracker, rows):
        request.param(tmp_path / "mlflow.db")
        send(tracker, rows)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MLflowTracker, "send", send_too_late)
        run_here(tmp_path / "job", *WORDS, f"tracking.root={tmp_path}")
    return tmp_path / "job"


def test_a_store_that_goes_in_the_middle_of_a_training_costs_one_upload(
    job, empty_store, tmp_path, caplog, capfd
):
    records = [*caplog.get_records("setup"), *caplog.records]
    said = [r.getMessage() for r in records if r.getMessage().startswith("MLflow")]
    assert len(said) == 2, said
    assert "training goes on" in said[0]
    assert said[1].endswith(f"python -m src.tracking.upload {job}")
    assert all("\n" not in line for line in said)
    assert "Traceback" not in capfd.readouterr().err

    empty_store(tmp_path / "again")
    place = {"root": str(tmp_path / "again"), "uri": None, "experiment": "own"}
    store = Store.open(place)
    run = store.client.get_run(upload(job, store))
    assert run.info.status == "FINISHED"
    assert "test_f1_macro" in run.data.metrics


def test_a_lock_that_is_not_given_back_is_one_message(empty_store, tmp_path):
    """As SQLite says it after its time; the wait itself is not sat out here."""
    empty_store(tmp_path)
    store = Store.open({"root": str(tmp_path), "uri": None, "experiment": "own"})
    locked = pytest.raises(UserError, match="cannot be used: database is locked")
    with locked as caught, store.needed():
        raise sqlite3.OperationalError("database is locked\n[SQL: UPDATE runs]")
    assert "\n" not in str(caught.value)
