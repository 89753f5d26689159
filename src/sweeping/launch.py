"""Launches the jobs of a sweep on an engine that runs several at once, and follows them."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

from hydra.core.singleton import Singleton
from hydra.core.utils import JobReturn, JobStatus, configure_log, setup_globals
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, open_dict

from src.entry import is_mistake
from src.errors import UserError
from src.sweeping.display import Display
from src.sweeping.worker import Finished, Task
from src.tracking.identity import config_identity
from src.tracking.sweep_plan import checked


class Engine(Protocol):
    """Runs packed jobs somewhere."""

    def describe(self, jobs: int, threads: int) -> str:
        """What it takes for so many jobs, for people."""

    def run(self, tasks: Sequence[bytes], threads: int) -> Iterator[tuple[int, Finished]]:
        """Yields the number of each task and how it ended, as they end."""


class TracebackError(Exception):
    """Where in a worker an error came from: the cause of the error in this process."""

    def __str__(self) -> str:
        """The traceback as text."""
        return f"\n{self.args[0]}"


def launch(
    engine: Engine,
    context: HydraContext,
    function: TaskFunction,
    config: DictConfig,
    *,
    job_overrides: Sequence[Sequence[str]],
    first: int,
) -> list[JobReturn]:
    """Runs the jobs.

    Jobs that repeat an experiment come last: by then its run is there, and answers them. So the
    same jobs are trained as in a sweep that does one after another.

    Args:
        engine: where they run.
        context: Hydra's.
        function: the job.
        config: the sweep's config.
        job_overrides: of each job.
        first: number of the first job.

    Returns:
        What Hydra returns for each job, in the order of the jobs.
    """
    setup_globals()
    configure_log(config.hydra.hydra_logging, config.hydra.verbose)
    Path(str(config.hydra.sweep.dir)).mkdir(parents=True, exist_ok=True)
    jobs = [
        _composed(context, config, overrides, number)
        for number, overrides in enumerate(job_overrides, start=first)
    ]
    state = Singleton.get_state()
    order = _first_ones_first(jobs)
    tasks = [Task(jobs[index], context, function, state).pack() for index in order]
    threads = int(config.training.threads)
    results: list[JobReturn | None] = [None] * len(jobs)
    with Display(len(jobs), engine.describe(len(jobs), threads)) as display:
        for place, finished in engine.run(tasks, threads):
            index = order[place]
            results[index] = _explained(finished)
            display.show(list(jobs[index].hydra.overrides.task), finished)
    return [result for result in results if result is not None]


def _composed(
    context: HydraContext, config: DictConfig, overrides: Sequence[str], number: int
) -> DictConfig:
    job = context.config_loader.load_sweep_config(config, list(overrides))
    with open_dict(job):
        job.hydra.job.id = str(number)
        job.hydra.job.num = number
    return job


def _first_ones_first(jobs: Sequence[DictConfig]) -> list[int]:
    """The numbers of the jobs, those that repeat an earlier one's experiment last."""
    seen: set[Any] = set()
    repeats = []
    for number, job in enumerate(jobs):
        try:
            identity = config_identity(checked(job.copy(), number, job.hydra.overrides.task))
        except UserError:  # the job itself will say so
            identity = str(number)
        repeats.append(identity in seen)
        seen.add(identity)
    return sorted(range(len(jobs)), key=lambda number: (repeats[number], number))


def _explained(finished: Finished) -> JobReturn:
    """The job's return, a failure inside the program with the worker's traceback as its cause."""
    job = finished.job
    if job.status == JobStatus.FAILED and not is_mistake(job._return_value):
        job._return_value.__cause__ = TracebackError(finished.trace)
    return job
