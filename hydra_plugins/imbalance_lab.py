"""Launchers and sweepers of this project, in the one place where Hydra looks for plugins.

Hydra imports this file whenever a command starts, so what does the work is imported when it is
needed: see :mod:`src.sweeps`.
"""

from abc import abstractmethod
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, closing
from functools import partial
from importlib import import_module
from pathlib import Path
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
    from src.sweeps.jobs import Finished
    from src.sweeps.sweep import Sweep
    from src.sweeps.workers import Workers


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

    def warns_once(self) -> AbstractContextManager[None]:
        """Within it a warning about data is shown once, however many jobs and processes read it."""
        from src.config.once_per_sweep import given_warnings_forgotten

        return given_warnings_forgotten(Path(self.master.hydra.sweep.dir))


# --- launchers ----------------------------------------------------------------------------------
class JobLauncher(Configured, Launcher):
    """Runs the jobs of a sweep and tells the sweep of each as it ends.

    Hydra's own launchers hand back nothing before every job is done, so they can show no progress.
    """

    def begin(self, jobs: Sequence["Job"]) -> None:
        """Starts what takes long to start, while the sweep opens its store."""

    def end(self) -> None:
        """Ends what was started."""

    @abstractmethod
    def run(self, jobs: Sequence["Job"], sweep: "Sweep") -> None:
        """Runs jobs of a sweep."""

    def run_outside(
        self,
        jobs: Sequence["Job"],
        sweep: "Sweep",
        results: Callable[..., Generator["Finished", None, None]],
    ) -> None:
        """Runs jobs in other processes; those that repeat an experiment come last, to be answered.

        Args:
            jobs: of the sweep.
            sweep: is told of each.
            results: takes a function that runs a job, which can be pickled, and the jobs; yields
                each as it ends. Jobs under way when it is closed end as interrupted ones.
        """
        from src.sweeps.jobs import run_in_worker

        setup_globals()
        configure_log(self.master.hydra.hydra_logging, self.master.hydra.verbose)
        waiting = sweep.plan.repeats_last() if sweep.plan else jobs
        execute = partial(run_in_worker, self.context, self.function, Singleton.get_state())
        by_number = {job.number: job for job in jobs}
        with closing(results(execute, waiting)) as finished:
            for number, returned, printed in finished:
                sweep.ended(by_number[number], returned, printed)

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[JobReturn]:
        """Hydra's interface, which other sweepers use: makes a sweep of these jobs."""
        from src.sweeps.jobs import Plan
        from src.sweeps.sweep import run_plan

        with self.warns_once():
            plan = Plan.of(self.context, self.master, job_overrides, initial_job_idx)
            return run_plan(self, self.master, plan).results


class LocalLauncher(JobLauncher):
    """Worker processes where jobs and cores are enough for several, else one job after another.

    A sweep that has ended well before trains nothing, so nobody has to load TensorFlow.
    """

    workers: "Workers | None" = None

    def begin(self, jobs: Sequence["Job"]) -> None:
        """Starts the workers, which take some seconds to load TensorFlow."""
        from src.sweeps.cores import workers_sharing

        several = workers_sharing(
            self.master.hydra.launcher, len(jobs), self.master.training.threads
        )
        if several > 1:
            from src.sweeps.workers import Workers

            self.workers = Workers(jobs, several)

    def run(self, jobs: Sequence["Job"], sweep: "Sweep") -> None:
        """Runs jobs of a sweep; output of those in this process is on the terminal as it comes."""
        if sweep.parent is not None and sweep.parent.done:
            self.end()
        elif self.workers is None:
            self.begin(jobs)
        if self.workers is not None:
            self.run_outside(jobs, sweep, self.workers.results)
            return
        from src.sweeps.jobs import run_here

        for job in jobs:
            sweep.begins(job)
            sweep.ended(job, run_here(self.context, self.function, job))
        configure_log(self.master.hydra.hydra_logging, self.master.hydra.verbose)  # not the job's

    def end(self) -> None:
        """Ends the workers, whatever they are doing."""
        if self.workers is not None:
            self.workers.close()
            self.workers = None


class ClusterLauncher(JobLauncher):
    """Runs jobs by what manages a cluster.

    Attributes:
        module: of :mod:`src.sweeps`; its ``results`` takes what that of ``run_outside`` takes, the
            threads of TensorFlow in each job, and the launcher's options.
    """

    module: str

    def setup(self, **parts: Any) -> None:
        """Takes what a job needs; what manages the cluster has to be installed."""
        super().setup(**parts)
        self._results: Any = import_module(f"src.sweeps.{self.module}").results

    def run(self, jobs: Sequence["Job"], sweep: "Sweep") -> None:
        """Runs jobs of a sweep."""
        threads = self.master.training.threads
        options = {"threads": 1 if threads == "auto" else int(threads), **self.options}
        self.run_outside(jobs, sweep, partial(self._results, **options))


class SubmititLauncher(ClusterLauncher):
    """Slurm, or processes that are started in its manner."""

    module = "submitit_launcher"


class RayLauncher(ClusterLauncher):
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
        with self.warns_once():
            typed = all_overrides(loader, self.master, arguments)
            typed, sets = with_planned_sets(self.master, typed)
            words, seconds = with_planned_seeds(loader, self.master, typed)
            jobs = all_jobs(self.master, words)
            plan = Plan.of(self.context, self.master, jobs, sets=sets, seconds=seconds)
            from src.sweeps.sweep import run_plan  # needs more, for nothing where a job is wrong

            sweep = run_plan(_launcher(self), self.master, plan)
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
        with self.warns_once():
            return search(_launcher(self), self.context, self.master, overrides, **options)


def _launcher(sweeper: Configured) -> Launcher:
    return Plugins.instance().instantiate_launcher(
        hydra_context=sweeper.context, task_function=sweeper.function, config=sweeper.master
    )
