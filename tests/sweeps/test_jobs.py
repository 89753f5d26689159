"""In what order the jobs of a launch run, and what they are told of those to come."""

import pickle

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.types import HydraContext

from src.config.register import register
from src.sweeps import sweep as sweep_module
from src.sweeps.jobs import Jobs
from src.sweeps.sweep import announce, configs_to_come
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def jobs_of():
    """Makes the jobs of a launch from their overrides."""
    register()
    with initialize_config_dir(version_base="1.3", config_dir=str(ROOT / "conf")):
        words = ["hydra.job.config_name=config", "hydra.mode=MULTIRUN"]
        master = compose("config", words, return_hydra_config=True)
        context = HydraContext(GlobalHydra.instance().config_loader(), callbacks=None)
        yield lambda overrides, first=0: Jobs(context, print, master, overrides, first)


def test_alike_jobs_run_beside_each_other_and_repeats_last(jobs_of):
    jobs = jobs_of(
        [
            ["seed=0", "loss=ce"],
            ["seed=0", "loss=focal"],
            ["seed=0", "loss=ce", "loss.gamma=1"],  # which cross-entropy does not use
            ["seed=1", "loss=ce"],
            ["seed=1", "loss=focal"],
        ]
    )
    assert jobs.order == [0, 3, 1, 4, 2]
    assert jobs.repeats == 1


def test_a_job_that_is_wrong_is_left_to_say_so_itself(jobs_of):
    jobs = jobs_of([["seed=0"], ["seed=1", "training.epochs=-1"]])
    assert jobs.configs[1] == {}
    assert jobs.order == [0, 1]


def test_a_packed_job_has_its_number_and_its_words(jobs_of):
    jobs = jobs_of([["seed=0"], ["seed=3", "loss=focal"]], first=4)
    config = pickle.loads(jobs.packed(1)).config
    assert (config.hydra.job.num, config.hydra.job.id, config.seed) == (5, "5", 3)
    assert config.hydra.overrides.task == ["seed=3", "loss=focal"]


def test_a_worker_knows_what_was_announced_to_it(jobs_of, monkeypatch):
    monkeypatch.setattr(sweep_module, "_open", [])
    jobs = jobs_of([["seed=0"], ["seed=1"]])
    hydra = pickle.loads(jobs.packed(0)).config.hydra
    announce(jobs.configs[1:])
    assert configs_to_come(hydra) == jobs.configs[1:]
    announce([])
    assert configs_to_come(hydra) == []
