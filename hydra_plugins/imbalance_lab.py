"""Launchers and sweepers of this project, in the one place where Hydra looks for plugins.

Hydra imports this file whenever a command starts, so what does the work is imported when it is
needed: see :mod:`src.sweeps`.
"""

from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, Any

from hydra.core.plugins import Plugins
from hydra.plugins.launcher import Launcher
from hydra.plugins.sweeper import Sweeper

from src.sweeps.launcher import Configured, JobLauncher, ParallelLauncher

if TYPE_CHECKING:
    from src.sweeps.jobs import Finished, Job
    from src.sweeps.sweep import Sweep


# --- launchers ----------------------------------------------------------------------------------
class SerialLauncher(JobLauncher):
    """One job after another, in this process."""

    def run(self, jobs: Sequence["Job"], sweep: "Sweep") -> None:
        """Runs jobs of a sweep; their output is on the terminal as it comes."""
        from src.sweeps.jobs import run_here

        for job in jobs:
            sweep.begins(job)
            sweep.ended(job, run_here(self.context, self.function, job))


class JoblibLauncher(ParallelLauncher):
    """Worker processes on this machine."""

    def results(self, *arguments: Any, **options: Any) -> Generator["Finished", None, None]:
        """Runs jobs by joblib."""
        from src.sweeps.joblib_launcher import results

        return results(*arguments, **options)


class SubmititLauncher(ParallelLauncher):
    """Slurm, or processes that are started in its manner."""

    def results(self, *arguments: Any, **options: Any) -> Generator["Finished", None, None]:
        """Runs jobs by submitit."""
        from src.sweeps.submitit_launcher import results

        return results(*arguments, **options)


class RayLauncher(ParallelLauncher):
    """A Ray cluster."""

    def results(self, *arguments: Any, **options: Any) -> Generator["Finished", None, None]:
        """Runs jobs as Ray's tasks."""
        from src.sweeps.ray_launcher import results

        return results(*arguments, **options)


# --- sweepers -----------------------------------------------------------------------------------
class GridSweeper(Configured, Sweeper):
    """Every combination of the values that were typed; see :mod:`src.sweeps.grid`."""

    def sweep(self, arguments: list[str]) -> Any:
        """Runs the jobs."""
        from src.sweeps.grid import sweep_grid

        return sweep_grid(_launcher(self), self.context, self.master, arguments, **self.options)


class OptunaSweeper(Configured, Sweeper):
    """Searches with Optuna; see :mod:`src.sweeps.search`."""

    def sweep(self, arguments: list[str]) -> Any:
        """Runs the trials; returns the best one."""
        from src.sweeps.search import search

        return search(_launcher(self), self.context, self.master, arguments, **self.options)


def _launcher(sweeper: Configured) -> Launcher:
    return Plugins.instance().instantiate_launcher(
        hydra_context=sweeper.context, task_function=sweeper.function, config=sweeper.master
    )
