"""SIGKILL at random moments of a sweep costs nothing but time."""

import random

import pytest

from src.tracking.store import Store
from tests.reliability.kill_trials import uninterrupted
from tests.reliability.killing import RUNS, run_trial

KILLED_WHILE = ("starting", "importing", "training", "writing", "uploading")


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """The sweep that nobody kills."""
    return uninterrupted(tmp_path_factory.mktemp("reference") / "sweep")


@pytest.fixture(scope="module")
def trial(reference, forks, tmp_path_factory):
    """The same sweep, killed five times and started again each time."""
    folder = tmp_path_factory.mktemp("killed")
    return run_trial(folder, KILLED_WHILE, reference, forks, random.Random(0))


def test_a_sweep_that_was_killed_ends_with_the_bits_of_one_that_was_not(reference, trial):
    assert len(reference) == RUNS
    assert trial.lost == []


def test_every_process_died_by_its_signal(trial):
    assert sum(trial.killed.values()) >= 4


def test_runs_of_dead_processes_are_marked(trial):
    assert trial.dead >= 2


def test_a_database_whose_making_was_broken_off_is_made_anew(tmp_path, monkeypatch):
    tracking = {"root": str(tmp_path), "uri": None, "experiment": "mine"}

    class PowerCutError(BaseException):
        pass

    def cut(*_):
        raise PowerCutError

    with monkeypatch.context() as patch, pytest.raises(PowerCutError):
        patch.setattr("mlflow.store.db.utils._upgrade_db", cut)
        Store.open(tracking)
    assert not (tmp_path / "mlflow.db").exists()
    store = Store.open(tracking)
    assert store.client.get_experiment(store.experiment_id).name == "mine"
    assert not list(tmp_path.glob("mlflow.db.part*"))
