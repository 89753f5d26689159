"""What all launchers of this project have in common.

Hydra imports its plugins whenever a command starts, so what does the work is imported when it is
needed.
"""

from abc import abstractmethod
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Any

from hydra.core.singleton import Singleton
from hydra.core.utils import JobReturn, configure_log, setup_globals
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

if TYPE_CHECKING:
    from src.sweeps.jobs import Finished, Job
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


class JobLauncher(Configured, Launcher):
    """Runs the jobs of a sweep and tells the sweep of each as it ends."""

    @abstractmethod
    def run(self, jobs: Sequence["Job"], sweep: "Sweep") -> None:
        """Runs jobs of a sweep."""

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[JobReturn]:
        """Hydra's interface, which other sweepers use: makes a sweep of these jobs."""
        from src.sweeps.grid import run_grid

        return run_grid(self, self.context, self.master, job_overrides, initial_job_idx).results


class ParallelLauncher(JobLauncher):
    """Runs jobs outside this process, several at once."""

    def run(self, jobs: Sequence["Job"], sweep: "Sweep") -> None:
        """Runs jobs of a sweep; those that repeat an experiment come last, to be answered."""
        from src.sweeps.jobs import run_in_worker

        setup_globals()
        configure_log(self.master.hydra.hydra_logging, self.master.hydra.verbose)
        waiting = sweep.plan.repeats_last() if sweep.plan else jobs
        execute = partial(run_in_worker, self.context, self.function, Singleton.get_state())
        by_number = {job.number: job for job in jobs}
        threads = int(self.master.training.threads)
        with closing(self.results(execute, waiting, threads=threads, **self.options)) as results:
            for one in results:
                sweep.ended(by_number[one.number], one.returned, one.printed)

    @abstractmethod
    def results(
        self,
        execute: Callable[["Job"], "Finished"],
        jobs: Sequence["Job"],
        *,
        threads: int,
        **options: Any,
    ) -> Generator["Finished", None, None]:
        """Runs jobs, in their order where there are more than places; yields them as they end.

        Closing the generator ends the jobs under way as an interruption does.

        Args:
            execute: runs a job; can be pickled.
            jobs: all of them.
            threads: of TensorFlow in each job.
            **options: of the launcher.

        Raises:
            UserError: where a job's process ended without a result.
        """
