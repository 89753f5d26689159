"""However a run or a sweep ends, the store says so: FAILED, KILLED, never RUNNING for ever."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import keras
import pytest

from src.engine.build import load_dataset
from src.engine.epoch_logger import EpochLogger
from src.engine.fit import train
from src.runs.metadata import describe_run
from src.tracking.mlflow_tracker import MLflowTracker
from src.tracking.store import Store

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
QUICK = ("data.n_samples=400", "data.minority_fraction=0.2", "training.epochs=2")
PLAIN = ("tracking.log_model=false", "tracking.plots=false")
ENDLESS = ("data.n_samples=4000", "training.batch_size=8", "training.epochs=100000")
"""Epochs of some 40 ms: in a second too few of them gather for sending to take long."""
LONGEST = 240
"""Seconds after which a child is taken to hang."""
START = f"""
import runpy, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's `&` would leave it off
sys.path.insert(0, {str(ROOT)!r})
sys.argv = ["train.py", *sys.argv[1:]]
runpy.run_path({str(ROOT / "train.py")!r}, run_name="__main__")
"""


def runs_in(folder):
    """The parent of the only sweep in a folder's store, and the jobs' runs, oldest first."""
    runs = Store.at(str(folder / "mlruns"), None).search("")
    (parent,) = [run for run in runs if "sweep.command" in run.data.tags]
    return parent, [run for run in runs if run is not parent]


# --- interrupted --------------------------------------------------------------------------------
def epochs_logged(folder):
    """How many epochs of the only job are in the store so far."""
    if not (folder / "mlruns" / "mlflow.db").exists():
        return 0
    store = Store.at(str(folder / "mlruns"), None)
    jobs = store.search("tags.`mlflow.parentRunId` LIKE '%'")
    return sum(
        len(store.client.get_metric_history(run.info.run_id, "val_f1_macro")) for run in jobs
    )


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory):
    """Two sweeps, each in the middle of its first training when a signal comes."""
    children = {}
    for number in (signal.SIGINT, signal.SIGTERM):
        folder = tmp_path_factory.mktemp(number.name)
        words = ("-m", "loss=ce,focal", *PLAIN, *ENDLESS)
        children[number] = (
            folder,
            subprocess.Popen(
                [sys.executable, "-c", START, *words],
                cwd=folder,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            ),
        )
    ended = {}
    for number, (folder, child) in children.items():
        deadline = time.monotonic() + LONGEST
        while epochs_logged(folder) < 3:
            assert child.poll() is None, child.communicate()
            assert time.monotonic() < deadline, f"no epochs in the store after {LONGEST} s"
            time.sleep(0.2)
        child.send_signal(number)
        out, err = child.communicate(timeout=LONGEST)
        ended[number] = folder, child.returncode, out, err
    yield ended
    for _, child in children.values():
        child.kill()


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["SIGINT", "SIGTERM"]
)
def test_an_interruption_ends_run_and_sweep_as_killed(interrupted, number, status):
    folder, returncode, _, err = interrupted[number]
    assert returncode == status
    said = ["Interrupted; the same command goes on where it was."] if status == 130 else []
    assert [line for line in err.splitlines() if line] == said
    parent, jobs = runs_in(folder)
    assert parent.info.status == "KILLED"
    assert [run.info.status for run in jobs] == ["KILLED"]
    assert jobs[0].data.metrics["val_f1_macro"] > 0
    assert not list(folder.glob("multirun/*/*/*/run.json"))


# --- jobs that fail -----------------------------------------------------------------------------
@pytest.fixture(scope="module")
def commands(train_several, tmp_path_factory):
    """Commands that go wrong, or do without a store, in one child; the first trains nothing."""
    folders = {
        name: tmp_path_factory.mktemp(name) for name in ("unreachable", "failing", "untracked")
    }
    arguments = {
        "unreachable": ["tracking.uri=http://127.0.0.1:9", *QUICK],
        "failing": ["-m", "model=cnn,mlp", *QUICK, *PLAIN],
        "untracked": ["-m", "tracking=none", "loss.gamma=0,1", *QUICK, "tracking.plots=false"],
    }
    child = tmp_path_factory.mktemp("child")
    outcomes = train_several([(arguments[name], folders[name]) for name in folders], child)
    return {
        name: (folder, outcome)
        for (name, folder), outcome in zip(folders.items(), outcomes, strict=True)
    }


def test_a_store_that_cannot_be_reached_is_one_clear_error_in_seconds(commands):
    folder, outcome = commands["unreachable"]
    assert outcome.status == 2
    (line,) = outcome.err.splitlines()
    assert line.startswith("Error: tracking store http://127.0.0.1:9: cannot be used")
    assert "tracking=none" in line
    assert outcome.seconds < 30
    assert "tensorflow" not in outcome.loaded
    assert not list(folder.glob("outputs/*/*/history.csv"))


def test_a_job_that_fails_does_not_keep_the_others_from_running(commands):
    folder, outcome = commands["failing"]
    assert outcome.status == 2
    first, second, error = outcome.err.splitlines()
    assert first == "1 job(s) failed:"
    assert second.startswith("  model=cnn")
    assert error.startswith("Error: ")
    assert "cnn" in error
    parent, jobs = runs_in(folder)
    assert parent.info.status == "FAILED"
    ended = {run.data.tags["model"]: run.info.status for run in jobs}
    assert ended == {"cnn": "FAILED", "mlp": "FINISHED"}
    assert all("test_f1_macro" in run.data.metrics for run in jobs if run.info.status != "FAILED")


def test_without_tracking_results_are_in_the_folders_and_no_store_is_made(commands):
    folder, outcome = commands["untracked"]
    assert outcome.status == 0, outcome.err
    assert not (folder / "mlruns" / "mlflow.db").exists()
    assert not list(folder.glob("mlruns/unfinished/*"))
    (record,) = folder.glob("multirun/*/*/*/run.json")
    assert record.parent.name == "0"
    (answer,) = folder.glob("multirun/*/*/*/answered.json")
    assert answer.parent.name == "1"
    assert f"answered from {record.parent}" in outcome.out
    assert (record.parent / "model.keras").exists()


class Breaks(keras.losses.Loss):
    """A loss with a mistake in it."""

    def call(self, y_true, y_pred):
        raise RuntimeError("the loss broke")


def test_a_training_that_raises_ends_as_failed(own_store, own_words, run_here, tmp_path):
    broken = ("loss.fn._target_=test_endings.Breaks", "~loss.fn.from_logits", "loss.name=broken")
    with pytest.raises(RuntimeError, match="the loss broke"):
        run_here(tmp_path, *own_words, *broken)
    (run,) = own_store.search("tags.loss = 'broken'")
    assert run.info.status == "FAILED"
    assert run.info.end_time is not None
    assert not (tmp_path / "run.json").exists()


class Ends(keras.callbacks.Callback):
    """Raises when the fourth epoch begins."""

    def __init__(self, error):
        super().__init__()
        self._error = error

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 3:
            raise self._error


@pytest.mark.parametrize(
    ("error", "status"),
    [(ValueError("no"), "FAILED"), (KeyboardInterrupt(), "KILLED"), (SystemExit(143), "KILLED")],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else value,
)
def test_an_error_fails_a_run_and_an_interruption_kills_it_with_every_epoch_in_the_store(
    own_tracking, resolved, tmp_path, error, status
):
    config = resolved("data.n_samples=200", "data.minority_fraction=0.3", "training.progress=false")
    dataset = load_dataset(config["data"])
    tracker, store = MLflowTracker(own_tracking, None), Store.open(own_tracking)
    with (
        pytest.raises(type(error)),
        tracker.following(describe_run(config, dataset), tmp_path),
    ):
        (run,) = store.search("attributes.status = 'RUNNING' AND tags.`process.under_way` LIKE '%'")
        train(config, dataset, "ends", [Ends(error)], logger=EpochLogger(tracker.send))
    ended = store.client.get_run(run.info.run_id)
    assert ended.info.status == status
    assert "process.under_way" not in ended.data.tags
    history = store.client.get_metric_history(run.info.run_id, "val_f1_macro")
    assert sorted(metric.step for metric in history) == [1, 2, 3]


def test_a_failed_run_answers_no_later_job(own_store, own_words, run_here, tmp_path, monkeypatch):
    words = (*own_words, "model.hidden=[5]")
    with monkeypatch.context() as patch, pytest.raises(OSError, match="the disk is full"):
        patch.setattr("src.runs.outputs.write_model", full_disk)
        run_here(tmp_path / "first", *words)
    run_here(tmp_path / "second", *words)
    runs = own_store.search("params.`model.hidden` = '[5]'")
    assert sorted(run.info.status for run in runs) == ["FAILED", "FINISHED"]


def full_disk(*_, **__):
    raise OSError("the disk is full")
