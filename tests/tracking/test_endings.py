"""However a run or a sweep ends, the store says so: FAILED, KILLED, never RUNNING for ever."""

import os
import re
import signal

import keras
import pytest

from src.engine.build import load_dataset
from src.engine.epoch_logger import EpochLogger
from src.engine.fit import train
from src.runs.metadata import describe_run
from src.tracking.mlflow_tracker import MLflowTracker
from src.tracking.store import Store
from tests.reliability.children import ENDLESS, LONGEST, endless, wait_until
from tests.reliability.recorded import runs_of

pytestmark = pytest.mark.slow

QUICK = ("data.n_samples=400", "data.minority_fraction=0.2", "training.epochs=2")
PLAIN = ("tracking.log_model=false", "tracking.plots=false")


# --- interrupted --------------------------------------------------------------------------------
def epochs_logged(folder):
    """How many epochs of the only job are in the store so far."""
    if not (folder / "mlruns" / "mlflow.db").exists():
        return 0
    ask = Store.at(str(folder / "mlruns"), None).client.get_metric_history
    return sum(len(ask(run.info.run_id, "val_f1_macro")) for run in runs_of(folder / "mlruns")[0])


def assert_killed(folder):
    (run,), (parent,) = runs_of(folder / "mlruns")
    assert [one.info.status for one in (parent, run)] == ["KILLED"] * 2
    assert run.data.metrics["val_f1_macro"] > 0
    assert not list(folder.glob("multirun/*/*/*/run.json"))


def test_ctrl_c_ends_run_and_sweep_as_killed(tmp_path):
    with endless(tmp_path, "-m", "loss=ce,focal", *PLAIN) as child:
        wait_until(lambda: epochs_logged(tmp_path) >= 3, child)
        child.send_signal(signal.SIGINT)
        _, err = child.communicate(timeout=LONGEST)
    assert child.returncode == 130
    said = ["Interrupted; the same command goes on where it was."]
    assert [line for line in err.splitlines() if line] == said
    assert_killed(tmp_path)


def test_sigterm_ends_run_and_sweep_as_killed(tmp_path, forks):
    child = forks.start(["-m", "loss=ce,focal", *PLAIN, *ENDLESS], tmp_path)
    output = tmp_path / "output.txt"
    try:
        wait_until(lambda: epochs_logged(tmp_path) >= 3, child, output)
        os.kill(child.pid, signal.SIGTERM)
        assert child.wait() == 143
    finally:
        child.kill()
    assert not re.search("Interrupted|Traceback|Error|WARNING", output.read_text())
    assert_killed(tmp_path)


# --- jobs that fail -----------------------------------------------------------------------------
@pytest.fixture(scope="module")
def commands(train_several, empty_store, tmp_path_factory):
    """Commands that go wrong, or do without a store, in one child; the first two train nothing."""
    names = ("unreachable", "hopeless", "failing", "untracked")
    folders = {name: tmp_path_factory.mktemp(name) for name in names}
    empty_store(folders["hopeless"] / "mlruns")
    arguments = {
        "unreachable": ["tracking.uri=http://127.0.0.1:9", *QUICK],
        "hopeless": ["-m", "data=table", "data.label=y", "data.path=a.csv,b.csv", "seed=3"],
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


def test_a_sweep_without_any_result_links_to_nothing_and_says_which_jobs_failed(commands):
    _, outcome = commands["hopeless"]
    assert outcome.status == 2
    first, *jobs, error = outcome.err.splitlines()
    assert first == "2 job(s) failed:"
    assert jobs == ["  data.path=a.csv", "  data.path=b.csv"]  # and not what all of them share
    assert error.startswith("Error: data.path='a.csv' does not exist")
    assert "MLflow" not in outcome.out
    assert "[1/2] data.path=a.csv\n" in outcome.out


def test_a_job_that_fails_does_not_keep_the_others_from_running(commands):
    folder, outcome = commands["failing"]
    assert outcome.status == 2
    first, second, error = outcome.err.splitlines()
    assert first == "1 job(s) failed:"
    assert second == "  model=cnn"
    assert "MLflow:  sweep " in outcome.out
    assert outcome.out.count("Loading TensorFlow") == 1, "said once, before the first training"
    assert error.startswith("Error: ")
    assert "cnn" in error
    jobs, (parent,) = runs_of(folder / "mlruns")
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
    assert "✓ reused " in outcome.out
    assert (record.parent / "model.keras").exists()


class Breaks(keras.losses.Loss):
    """A loss with a mistake in it."""

    def call(self, y_true, y_pred):
        raise RuntimeError("the loss broke")


def test_a_training_that_raises_ends_as_failed(own_store, own_words, run_here, tmp_path):
    broken = ("loss.fn._target_=test_endings.Breaks", "~loss.fn.from_logits", "loss.name=broken")
    raised = pytest.raises(RuntimeError, match="the loss broke")
    with pytest.warns(UserWarning, match="the loss broke"), raised:
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
    words = ("data.n_samples=200", "data.minority_fraction=0.3", "training.progress=false")
    config = resolved(*words, "training.threads=1")
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
