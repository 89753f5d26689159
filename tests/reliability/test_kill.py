"""SIGKILL at random moments of a sweep costs nothing but time."""

import random
import subprocess
import sys
import time

import pytest

from src.tracking.store import Store
from tests.reliability.children import ROOT
from tests.reliability.kill_trials import uninterrupted
from tests.reliability.killing import SWEEP, run_trial

pytestmark = pytest.mark.slow

DRAFTS = "mlflow.db.part*"
TWO_RUNS = (*SWEEP, "seed=0")
KILLED_WHILE = ("starting", "importing", "training", "writing", "uploading")


@pytest.fixture(scope="module")
def reference(forks, empty_store, tmp_path_factory):
    """The sweep that nobody kills."""
    folder = tmp_path_factory.mktemp("reference")
    empty_store(folder / "mlruns")
    return uninterrupted(folder, forks, TWO_RUNS)


@pytest.fixture(scope="module")
def trial(reference, forks, tmp_path_factory):
    """The same sweep, killed five times and started again each time."""
    folder = tmp_path_factory.mktemp("killed")
    return run_trial(folder, KILLED_WHILE, reference, forks, random.Random(0), words=TWO_RUNS)


def test_a_sweep_that_was_killed_ends_with_the_bits_of_one_that_was_not(reference, trial):
    assert len(reference) == 2
    assert trial.lost == []


def test_every_process_died_by_its_signal(trial):
    assert sum(trial.killed.values()) >= 4


def test_runs_of_dead_processes_are_marked(trial):
    assert trial.dead >= 2


def test_a_database_whose_making_was_broken_off_is_made_anew(tmp_path):
    tracking = {"root": str(tmp_path), "uri": None, "experiment": "mine"}
    code = f"from src.tracking.store import Store; Store.open({tracking})"
    child = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT)
    while not any(draft.stat().st_size for draft in tmp_path.glob(DRAFTS)):
        assert child.poll() is None
        time.sleep(0.01)
    child.kill()
    child.wait()
    assert not (tmp_path / "mlflow.db").exists()
    assert list(tmp_path.glob(DRAFTS))
    store = Store.open(tracking)
    assert store.client.get_experiment(store.experiment_id).name == "mine"
    assert not list(tmp_path.glob(DRAFTS))
