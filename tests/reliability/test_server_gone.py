"""A tracking server that goes away in the middle of a training, and a store that is locked."""

import os
import shlex
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient

from src.tracking import upload
from src.ui import QUIET
from tests.reliability.children import LONGEST

pytestmark = pytest.mark.slow

EPOCHS = 100
"""Of some 40 ms each, so that the server goes in the middle: epochs are sent once a second."""
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


class Server:
    """A real MLflow server that can be killed and started again."""

    def __init__(self, folder):
        self.folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.uri = f"http://127.0.0.1:{probe.getsockname()[1]}"
        self._process = None

    def start(self):
        words = ["--backend-store-uri", f"sqlite:///{self.folder}/server.db"]
        words += ["--artifacts-destination", f"{self.folder}/artifacts", "--workers", "1"]
        port = self.uri.rpartition(":")[2]
        with (self.folder / "server.txt").open("a") as log:
            self._process = subprocess.Popen(
                [Path(sys.executable).with_name("mlflow"), "server", *words, "--port", port],
                stdout=log,
                stderr=subprocess.STDOUT,
                env=QUIET | os.environ,
                start_new_session=True,
            )

    def wait(self):
        """Returns when it answers."""
        deadline = time.monotonic() + LONGEST
        while not self._answers():
            assert time.monotonic() < deadline and self._process.poll() is None
            time.sleep(0.1)

    def _answers(self):
        try:
            return urllib.request.urlopen(f"{self.uri}/health", timeout=2).status == 200
        except OSError:
            return False

    def kill(self):
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def epochs(self):
        """How many epochs it has of all runs."""
        client = MlflowClient(self.uri)
        runs = client.search_runs([found.experiment_id for found in client.search_experiments()])
        return sum(len(client.get_metric_history(run.info.run_id, "val_f1_macro")) for run in runs)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    started = Server(tmp_path_factory.mktemp("server"))
    started.start()
    yield started
    started.kill()


@pytest.fixture(scope="module")
def trained(server, forks, tmp_path_factory):
    """A run whose server was killed after some epochs: status, seconds to its end, folder."""
    cwd = tmp_path_factory.mktemp("trained")
    server.wait()
    child = forks.start((*WORDS, f"tracking.uri={server.uri}"), cwd)
    deadline = time.monotonic() + LONGEST
    while server.epochs() < 3:
        assert time.monotonic() < deadline and child.poll() is None
        time.sleep(0.2)
    server.kill()
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
    server.start()
    server.wait()
    said = (trained[2] / "output.txt").read_text()
    words = shlex.split(said[said.index(UPLOAD) :].splitlines()[0].removeprefix(UPLOAD))
    assert upload.main(words) == 0
    again = upload.upload(folder_of(trained[2]))
    client = MlflowClient(server.uri)
    runs = client.search_runs([e.experiment_id for e in client.search_experiments()])
    return client, runs, again


def test_the_command_brings_everything_once(uploaded):
    client, (run,), again = uploaded
    assert again == run.info.run_id
    assert run.info.status == "FINISHED"
    assert "test_f1_macro" in run.data.metrics
    steps = [row.step for row in client.get_metric_history(run.info.run_id, "val_f1_macro")]
    assert sorted(steps) == list(range(1, EPOCHS + 1))
    assert "predictions.npz" in {entry.path for entry in client.list_artifacts(run.info.run_id)}
    assert len(run.outputs.model_outputs) == 1


def test_the_same_command_typed_again_trains_nothing(uploaded, server, trained, forks):
    cwd = trained[2]
    assert forks.start((*WORDS, f"tracking.uri={server.uri}"), cwd).wait() == 0
    assert (cwd / "output.txt").read_text().count("trained before, answered from") == 1


# --- locked -------------------------------------------------------------------------------------
def test_a_store_that_another_process_holds_locked_is_waited_for(run_here, tmp_path):
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
