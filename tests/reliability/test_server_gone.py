"""A tracking server that goes away in the middle of a training, and a store that is locked."""

import shlex
import sqlite3
import threading
import time

import pytest
from mlflow.tracking import MlflowClient

from src.tracking import upload
from tests.reliability.children import LONGEST
from tests.tracking.servers import free_port, mlflow_server

pytestmark = pytest.mark.slow

EPOCHS = 100
"""Each takes some 40 ms, so that the server goes in the middle: epochs are sent once a second."""
WORDS = (
    "data.n_samples=4000",
    "data.minority_fraction=0.2",
    "training.batch_size=8",
    f"training.epochs={EPOCHS}",
    "tracking.plots=false",
)
UPLOAD = "python -m src.tracking.upload "
PATIENCE = 60
"""Seconds within which a training has to end once its server is gone."""


def epochs(uri):
    """How many epochs a server has of all runs."""
    client = MlflowClient(uri)
    runs = client.search_runs([found.experiment_id for found in client.search_experiments()])
    return sum(len(client.get_metric_history(run.info.run_id, "val_f1_macro")) for run in runs)


@pytest.fixture(scope="module")
def server(empty_store, tmp_path_factory):
    """Starts the same server, once or again: a context manager that gives its address."""
    folder, port = tmp_path_factory.mktemp("server"), free_port()
    empty_store(folder)
    return lambda: mlflow_server(f"sqlite:///{folder}/mlflow.db", folder, 1, port)


@pytest.fixture(scope="module")
def trained(server, forks, tmp_path_factory):
    """A run whose server was killed after some epochs: status, seconds to its end, folder."""
    cwd = tmp_path_factory.mktemp("trained")
    with server() as uri:
        child = forks.start((*WORDS, f"tracking.uri={uri}"), cwd)
        deadline = time.monotonic() + LONGEST
        while epochs(uri) < 3:
            assert time.monotonic() < deadline and child.poll() is None
            time.sleep(0.2)
    gone = time.monotonic()
    status = child.wait()
    return status, time.monotonic() - gone, cwd


def folder_of(cwd):
    (record,) = cwd.glob("outputs/*/*/run.json")
    return record.parent


def test_training_ends_well_and_soon(trained):
    status, seconds, cwd = trained
    assert status == 0, (cwd / "output.txt").read_text()
    assert seconds < PATIENCE
    assert {"model.keras", "predictions.npz"} <= {file.name for file in folder_of(cwd).iterdir()}


def test_it_says_once_what_was_not_logged_and_how_to_upload_it(trained):
    said = (trained[2] / "output.txt").read_text()
    assert said.count("training goes on") == 1
    assert said.count(f"{UPLOAD}{folder_of(trained[2])}") == 1
    assert "Traceback" not in said


@pytest.fixture(scope="module")
def uploaded(server, trained):
    """The server is back, and the folder was uploaded by the words of the warning, then again."""
    said = (trained[2] / "output.txt").read_text()
    words = shlex.split(said[said.index(UPLOAD) :].splitlines()[0].removeprefix(UPLOAD))
    with server() as uri:
        assert upload.main(words) == 0
        yield uri, upload.upload(folder_of(trained[2]))


def test_the_command_brings_everything_once(uploaded):
    uri, run_id = uploaded
    client = MlflowClient(uri)
    (run,) = client.search_runs([found.experiment_id for found in client.search_experiments()])
    assert run_id == run.info.run_id
    assert run.info.status == "FINISHED"
    assert "test_f1_macro" in run.data.metrics
    steps = [row.step for row in client.get_metric_history(run.info.run_id, "val_f1_macro")]
    assert sorted(steps) == list(range(1, EPOCHS + 1))
    assert "predictions.npz" in {entry.path for entry in client.list_artifacts(run.info.run_id)}
    assert len(run.outputs.model_outputs) == 1


def test_the_same_command_typed_again_trains_nothing(uploaded, trained, forks):
    cwd = trained[2]
    assert forks.start((*WORDS, f"tracking.uri={uploaded[0]}"), cwd).wait() == 0
    assert (cwd / "output.txt").read_text().count("✓ reused") == 1


# --- locked -------------------------------------------------------------------------------------
def test_a_store_that_another_process_holds_locked_is_waited_for(run_here, empty_store, tmp_path):
    empty_store(tmp_path)
    words = ("data.n_samples=300", "data.minority_fraction=0.2", "training.epochs=1")
    place = (f"tracking.root={tmp_path}", "tracking.log_model=false", "tracking.plots=false")
    run_here(tmp_path / "first", *words, *place)
    database = sqlite3.connect(
        tmp_path / "mlflow.db", check_same_thread=False, isolation_level=None
    )
    database.execute("BEGIN EXCLUSIVE")
    started, seconds = time.monotonic(), 2.0
    free = threading.Timer(seconds, lambda: database.execute("COMMIT"))
    free.start()
    run_here(tmp_path / "second", *words, *place, "seed=1")
    free.join()
    database.close()
    assert time.monotonic() - started > seconds
    assert (tmp_path / "second" / "run.json").exists()
