"""Launchers and sweepers of this project, in the one place where Hydra looks for plugins.

Hydra imports this file whenever a command starts, so what does the work is imported when it is
needed: see :mod:`src.sweeps`.
"""

from abc import abstractmethod
from collections.abc import Sequence
from contextlib import closing
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from hydra.core.plugins import Plugins
from hydra.core.singleton import Singleton
from hydra.core.utils import JobReturn, configure_log, setup_globals
from hydra.plugins.launcher import Launcher
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

if TYPE_CHECKING:
    from src.sweeps.composer import Job
    from src.sweeps.sweep import Sweep


class Configured:
    """A plugin as Hydra makes it: from its config, and then given what its jobs need.

    Args:
        **options: keys of its config.
    """

    def __init__(self, **options: Any) -> None:
        self.options = options

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Takes what a job needs."""
        self.context, self.function, self.master = hydra_context, task_function, config


# --- launchers ----------------------------------------------------------------------------------
class JobLauncher(Configured, Launcher):
    """Runs the jobs of a sweep and tells the sweep of each as it ends."""

    @abstractmethod
    def run(self, jobs: Sequence["Job"], sweep: "Sweep") -> None:
        """Runs jobs of a sweep."""

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[JobReturn]:
        """Hydra's interface, which other sweepers use: makes a sweep of these jobs."""
        from src.sweeps.jobs import Plan
        from src.sweeps.sweep import run_plan

        plan = Plan.of(self.context, self.master, job_overrides, initial_job_idx)
        return run_plan(self, self.master, plan).results


class SerialLauncher(JobLauncher):
    """One job after another, in this process."""

    def run(self, jobs: Sequence["Job"], sweep: "Sweep") -> None:
        """Runs jobs of a sweep; their output is on the terminal as it comes."""
        from src.sweeps.jobs import run_here

        for job in jobs:
            sweep.begins(job)
            sweep.ended(job, run_here(self.context, self.function, job))
        configure_log(self.master.hydra.hydra_logging, self.master.hydra.verbose)  # not the job's


class ParallelLauncher(JobLauncher):
    """Runs jobs outside this process, several at once.

    Hydra's own launchers of this kind hand back nothing before every job is done, so they can show
    no progress.

    Attributes:
        module: of :mod:`src.sweeps`; its ``results`` takes a function that runs a job and can be
            pickled, all jobs, the threads of TensorFlow in each, and the launcher's options. It
            yields each job as it ends; jobs under way when it is closed end as interrupted ones.
            It raises ``UserError`` where a job's process ended without a result.
    """

    module: str

    def run(self, jobs: Sequence["Job"], sweep: "Sweep") -> None:
        """Runs jobs of a sweep; those that repeat an experiment come last, to be answered."""
        from src.sweeps.cores import least_threads
        from src.sweeps.jobs import run_in_worker

        setup_globals()
        configure_log(self.master.hydra.hydra_logging, self.master.hydra.verbose)
        waiting = sweep.plan.repeats_last() if sweep.plan else jobs
        execute = partial(run_in_worker, self.context, self.function, Singleton.get_state())
        by_number = {job.number: job for job in jobs}
        results = import_module(f"src.sweeps.{self.module}").results
        threads = least_threads(self.master)
        with closing(results(execute, waiting, threads, **self.options)) as finished:
            for number, returned, printed in finished:
                sweep.ended(by_number[number], returned, printed)


class JoblibLauncher(ParallelLauncher):
    """Worker processes on this machine."""

    module = "joblib_launcher"


class AutoLauncher(JobLauncher):
    """Worker processes where jobs and cores are enough for several, else one job after another.

    A sweep that has ended well before trains nothing, so nobody has to load TensorFlow.
    """

    def run(self, jobs: Sequence["Job"], sweep: "Sweep") -> None:
        """Runs jobs of a sweep by one of the two launchers above."""
        from src.sweeps.cores import workers_sharing

        launcher, threads = self.master.hydra.launcher, self.master.training.threads
        done = sweep.parent is not None and sweep.parent.done
        several = not done and workers_sharing(launcher, len(jobs), threads) > 1
        chosen = JoblibLauncher(n_jobs=launcher.n_jobs) if several else SerialLauncher()
        chosen.setup(hydra_context=self.context, task_function=self.function, config=self.master)
        chosen.run(jobs, sweep)


class SubmititLauncher(ParallelLauncher):
    """Slurm, or processes that are started in its manner."""

    module = "submitit_launcher"


class RayLauncher(ParallelLauncher):
    """A Ray cluster."""

    module = "ray_launcher"


# --- sweepers -----------------------------------------------------------------------------------
class GridSweeper(Configured, Sweeper):
    """Every combination of the values that were typed, or that ``params`` has in its config."""

    def sweep(self, arguments: list[str]) -> Any:
        """Runs the jobs; raises what the first one failed with, after all have ended."""
        from src.sweeps.composer import all_overrides
        from src.sweeps.data_sets import with_planned_sets
        from src.sweeps.jobs import Plan
        from src.sweeps.references import all_jobs
        from src.sweeps.seeds import with_planned_seeds

        loader = self.context.config_loader
        typed = all_overrides(loader, self.master, arguments)
        typed, sets = with_planned_sets(self.master, typed)
        words, seconds = with_planned_seeds(loader, self.master, typed)
        jobs = all_jobs(self.master, words)
        plan = Plan.of(self.context, self.master, jobs, seconds_of=sets.seconds)
        from src.sweeps.sweep import run_plan  # which needs more, for nothing where a job is wrong

        sweep = run_plan(_launcher(self), self.master, plan, seconds or plan.seconds, sets.left_out)
        sweep.raise_first_error()
        return sweep.results


class OptunaSweeper(Configured, Sweeper):
    """Searches with Optuna; see :mod:`src.sweeps.search`."""

    def sweep(self, arguments: list[str]) -> Any:
        """Runs the trials; returns the best one."""
        from src.sweeps.composer import all_overrides
        from src.sweeps.references import refuse
        from src.sweeps.search import search

        refuse(self.master, "optuna")
        overrides = all_overrides(self.context.config_loader, self.master, arguments)
        options = {key: value for key, value in self.options.items() if key != "params"}
        return search(_launcher(self), self.context, self.master, overrides, **options)


def _launcher(sweeper: Configured) -> Launcher:
    return Plugins.instance().instantiate_launcher(
        hydra_context=sweeper.context, task_function=sweeper.function, config=sweeper.master
    )
