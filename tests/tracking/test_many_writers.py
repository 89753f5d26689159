"""Sixteen writers at once lose nothing: on an MLflow server with PostgreSQL, and on SQLite."""

import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from mlflow.artifacts import download_artifacts
from mlflow.tracking import MlflowClient

from src.runs.recorded.record import read_history
from tests.tracking.servers import missing, mlflow_server, postgres
from tests.tracking.writers import EPOCHS, FINGERPRINT, METRICS, metadata_of

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
WRITERS = [sys.executable, "-m", "tests.tracking.writers"]
PROCESSES, THREADS = 2, 8


@pytest.fixture(
    scope="module",
    params=[
        pytest.param("server", marks=pytest.mark.skipif(bool(missing()), reason=missing())),
        "sqlite",
    ],
)
def written(request, tmp_path_factory):
    """Sixteen runs, written at once by two processes; their folder, a client, the address."""
    folder = tmp_path_factory.mktemp("writers")
    with ExitStack() as stack:
        uri = f"sqlite:///{folder}/mlruns/mlflow.db"
        if request.param == "server":
            uri = stack.enter_context(mlflow_server(stack.enter_context(postgres()), folder))
        children = [
            subprocess.Popen(
                [*WRITERS, uri, folder, str(first), str(THREADS)],
                cwd=ROOT,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for first in range(0, PROCESSES * THREADS, THREADS)
        ]
        said = [child.communicate(timeout=240) for child in children]
        assert [child.returncode for child in children] == [0] * PROCESSES, said
        yield folder, MlflowClient(uri), said


@pytest.fixture
def runs(written):
    _, client, _ = written
    (experiment,) = client.search_experiments(filter_string="name = 'writers'")
    return client.search_runs([experiment.experiment_id])


def test_every_run_is_there_once_and_finished(runs):
    assert sorted(int(run.data.tags["writer"]) for run in runs) == list(range(16))
    assert {run.info.status for run in runs} == {"FINISHED"}


def test_every_epoch_of_every_metric_is_there_once(written, runs):
    folder, client, _ = written
    for run in runs:
        rows = read_history(folder / run.data.tags["writer"] / "history.csv")
        assert len(rows) == EPOCHS
        for name in METRICS:
            logged = client.get_metric_history(run.info.run_id, name)
            logged.sort(key=lambda metric: metric.step)
            assert [metric.step for metric in logged] == list(range(1, EPOCHS + 1))
            assert [metric.value for metric in logged] == [row[name] for row in rows]


def test_parameters_data_set_and_scores_are_there(runs):
    for run in runs:
        number = int(run.data.tags["writer"])
        assert run.data.params == metadata_of(number).params
        assert run.data.metrics["test_f1_macro"] == number / 100
        (given,) = run.inputs.dataset_inputs
        assert given.dataset.digest == FINGERPRINT[:36]


def test_every_file_comes_back_byte_for_byte(written, runs, tmp_path):
    folder, client, _ = written
    for run in runs:
        number = run.data.tags["writer"]
        uri = f"runs:/{run.info.run_id}/"
        back = Path(
            download_artifacts(
                uri, dst_path=str(tmp_path / number), tracking_uri=client.tracking_uri
            )
        )
        names = {file.name for file in back.iterdir()}
        assert names == {"config.yaml", "history.csv", "predictions.npz", "run.json"}
        for name in names:
            assert (back / name).read_bytes() == (folder / number / name).read_bytes()


def test_no_writer_was_turned_away(written):
    assert [err for _, err in written[2]] == [""] * PROCESSES
