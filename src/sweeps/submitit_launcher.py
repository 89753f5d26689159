"""Jobs as Slurm jobs, or in processes of this machine that are started the same way, by submitit.

``hydra-submitit-launcher`` hands back nothing before every job is done, so it can show no progress.
"""

import os
import time
from collections.abc import Callable, Generator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from joblib import cpu_count

from src.errors import UserError
from src.sweeps.jobs import Finished, Job

try:
    import submitit
except ImportError as error:
    raise UserError("hydra/launcher=submitit_*: submitit is not installed; make cluster") from error

PROJECT = Path(__file__).resolve().parents[2]
LOOKS = 0.2
"""Seconds between two looks at which jobs have ended; Slurm itself is asked less often."""
GRACE = 10.0
"""Seconds that jobs on this machine get to end as interrupted ones."""
COMMON = ("timeout_min", "cpus_per_task", "gpus_per_node", "mem_gb", "nodes", "name")
"""Parameters that submitit has for every cluster; others are Slurm's own."""


class Resumable(submitit.helpers.Checkpointable):
    """Runs a job that Slurm may stop and queue again: it goes on after its last finished epoch."""

    def __init__(self, execute: Callable[[Job], Finished]) -> None:
        self._execute = execute

    def __call__(self, job: Job) -> Finished:
        """Runs the job."""
        return self._execute(job)


def cluster_executor(cluster: str, folder: str, **parameters: Any) -> submitit.AutoExecutor:
    """Submitit's executor.

    Args:
        cluster: ``slurm`` or ``local``.
        folder: for scripts and logs.
        **parameters: those of ``sbatch`` as submitit names them; None leaves one out.

    Raises:
        UserError: where there is no such cluster here.
    """
    given = {key: value for key, value in parameters.items() if value is not None}
    try:
        executor = submitit.AutoExecutor(folder=folder, cluster=cluster)
        executor.update_parameters(
            **{key if key in COMMON else f"slurm_{key}": value for key, value in given.items()}
        )
    except (RuntimeError, ValueError, NameError, TypeError) as error:
        raise UserError(f"hydra.launcher ({cluster}): {error}") from error
    return executor


def results(
    execute: Callable[[Job], Finished],
    jobs: Sequence[Job],
    threads: int,
    *,
    cluster: str,
    n_jobs: int = -1,
    **options: Any,
) -> Generator[Finished, None, None]:
    """See ``ParallelLauncher.results``; ``n_jobs`` run at once."""
    executor, task = cluster_executor(cluster, **options), Resumable(execute)
    path = os.environ.get("PYTHONPATH")  # the processes find the project by it
    os.environ["PYTHONPATH"] = os.pathsep.join([str(PROJECT), *([path] if path else [])])
    every = len(jobs) if cluster == "slurm" else max(1, cpu_count() // threads)
    at_once = every if n_jobs == -1 else n_jobs
    waiting = iter(jobs[at_once:])
    submitted = executor.map_array(task, jobs[:at_once])  # one array where Slurm gets them
    try:
        for ended in submitit.helpers.as_completed(submitted, poll_frequency=LOOKS):
            submitted += [executor.submit(task, job) for job in islice(waiting, 1)]
            yield _result(ended)
    finally:
        _cancel(submitted)


def _result(job: "submitit.Job[Finished]") -> Finished:
    try:
        return job.result()
    except (submitit.core.utils.FailedJobError, submitit.core.utils.UncompletedJobError) as error:
        raise UserError(
            f"job {job.job_id} ended without a result; its log is {job.paths.stderr}"
        ) from error


def _cancel(jobs: Sequence["submitit.Job[Finished]"]) -> None:
    """Ends jobs that run, and waits a moment for those of this machine to say so in the store."""
    running = [job for job in jobs if not job.done()]
    for job in running:
        job.cancel(check=False)
    deadline = time.monotonic() + GRACE
    while time.monotonic() < deadline and not all(job.done() for job in running):
        time.sleep(LOOKS)
