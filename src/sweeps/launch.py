"""Launches the jobs of a sweep on an engine that runs several at once, and follows them."""

import gc
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from hydra.core.utils import JobReturn, JobStatus, configure_log, setup_globals
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from src.entry import is_mistake
from src.sweeps.display import Display
from src.sweeps.engine import Engine
from src.sweeps.jobs import Jobs
from src.sweeps.worker import Finished


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
    gc.freeze()  # what is imported stays; looking through it at the end takes most of a second
    jobs = Jobs(context, function, config, job_overrides, first)
    threads = int(config.training.threads)
    results: list[JobReturn | None] = [None] * len(jobs)
    with (
        Display(len(jobs), engine.describe(len(jobs), threads)) as display,
        closing(engine.run(jobs, threads)) as ended,  # an interruption ends its workers at once
    ):
        for place, finished in ended:
            results[place] = _explained(finished)
            display.show(jobs.overrides[place], finished)
    return [result for result in results if result is not None]


def _explained(finished: Finished) -> JobReturn:
    """The job's return, a failure inside the program with the worker's traceback as its cause."""
    job = finished.job
    if job.status == JobStatus.FAILED and not is_mistake(job._return_value):
        job._return_value.__cause__ = TracebackError(finished.trace)
    return job
