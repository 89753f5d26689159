"""Launchers and a sweeper of this project, in the one place where Hydra looks for plugins.

Hydra imports this file whenever a command starts, so what does the work is imported when it is
needed: see :mod:`src.sweeps`.
"""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hydra._internal.core_plugins.basic_launcher import BasicLauncher
from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

if TYPE_CHECKING:
    from src.sweeps.engine import Engine


class SerialLauncher(BasicLauncher):
    """Hydra's own launcher, one job after another in this process; it composes them quickly."""

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Takes what a job needs."""
        from src.sweeps.sweep_composing import QuickLoader

        loader: Any = QuickLoader(hydra_context.config_loader)
        quick = replace(hydra_context, config_loader=loader)
        super().setup(hydra_context=quick, task_function=task_function, config=config)


class Configured:
    """A plugin as Hydra makes it: from its config, and then given what its jobs need.

    Args:
        **options: keys of its config.
    """

    def __init__(self, **options: Any) -> None:
        self._options = options

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Takes what a job needs."""
        self._parts = (hydra_context, task_function, config)


class ParallelLauncher(Configured, Launcher):
    """Runs the jobs of a sweep outside this process, several at once."""

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[JobReturn]:
        """Runs the jobs; their results, in the order of the jobs."""
        from src.sweeps.launch import launch

        engine = self.engine(**self._options)
        return launch(engine, *self._parts, job_overrides=job_overrides, first=initial_job_idx)

    @abstractmethod
    def engine(self, **options: Any) -> "Engine":
        """What runs them."""


class JoblibLauncher(ParallelLauncher):
    """Worker processes on this machine."""

    def engine(self, **options: Any) -> "Engine":
        """Joblib's loky executor."""
        from src.sweeps.joblib_engine import JoblibEngine

        return JoblibEngine(**options)


class SubmititLauncher(ParallelLauncher):
    """Slurm, or processes started in its manner."""

    def engine(self, **options: Any) -> "Engine":
        """Submitit."""
        from src.sweeps.submitit_engine import SubmititEngine

        return SubmititEngine(**options)


class RayLauncher(ParallelLauncher):
    """A Ray cluster."""

    def engine(self, **options: Any) -> "Engine":
        """Ray's tasks."""
        from src.sweeps.ray_engine import RayEngine

        return RayEngine(**options)


class OptunaSweeper(Configured, Sweeper):
    """Searches with Optuna; see :mod:`src.sweeps.search`."""

    def sweep(self, arguments: list[str]) -> Any:
        """Runs the trials; returns the best one."""
        from src.sweeps.search import Search

        context, function, config = self._parts
        launcher = Plugins.instance().instantiate_launcher(
            hydra_context=context, task_function=function, config=config
        )
        return Search(launcher, context, config, **self._options).run(arguments)
