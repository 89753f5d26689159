"""The plan of a sweep, from words, without running it."""

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.types import HydraContext

from src.config.register import register
from src.sweeps.composer import all_overrides
from src.sweeps.data_sets import with_planned_sets
from src.sweeps.jobs import Plan
from src.sweeps.references import all_jobs
from tests.conftest import ROOT


class Sweeper:
    """What a sweeper is given: Hydra's context and the config of the sweep."""

    def __init__(self, *fixed):
        words = ["hydra.job.config_name=config", "hydra.mode=MULTIRUN", *fixed]
        self.master = compose("config", words, return_hydra_config=True)
        self.context = HydraContext(GlobalHydra.instance().config_loader(), callbacks=None)

    def plan(self, *jobs):
        """The plan of jobs, each a string of words."""
        return Plan.of(self.context, self.master, [job.split() for job in jobs], 0)


@pytest.fixture
def sweeper():
    """Makes a sweeper for words that all jobs share."""
    register()
    with initialize_config_dir(version_base="1.3", config_dir=str(ROOT / "conf")):
        yield Sweeper


@pytest.fixture
def jobs_typed(sweeper):
    """The sweep of ``python train.py -m WORDS``, the words of its jobs, and what sets it takes."""

    def jobs(*typed):
        parsed = OverridesParser.create().parse_overrides(list(typed))
        words = [one.input_line for one in parsed if not one.is_sweep_override()]
        made = sweeper(*words)
        overrides = all_overrides(made.context.config_loader, made.master, typed)
        overrides, sets = with_planned_sets(made.master, overrides)
        return made, all_jobs(made.master, overrides), sets

    return jobs


@pytest.fixture
def plan_typed(jobs_typed):
    """The plan of the same."""

    def plan(*typed):
        made, jobs, _ = jobs_typed(*typed)
        return Plan.of(made.context, made.master, jobs)

    return plan
