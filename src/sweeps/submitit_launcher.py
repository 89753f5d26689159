"""Jobs as Slurm jobs, or in processes of this machine that are started the same way, by submitit.

``hydra-submitit-launcher`` hands back nothing before every job is done, so it can show no progress.
"""

import time
from collections.abc import Callable, Generator, Sequence
from typing import Any

from joblib import cpu_count

from src.errors import UserError
from src.sweeps.jobs import Finished, Job

try:
    import submitit
except ImportError as error:
    raise UserError("hydra/launcher=submitit_*: submitit is not installed; make cluster") from error

LOOKS = 0.2
"""Seconds between two looks at which jobs have ended; Slurm itself is asked less often."""
GRACE = 10.0
"""Seconds that jobs on this machine get to end as interrupted ones."""
COMMON = ("timeout_min", "cpus_per_task", "gpus_per_node", "mem_gb", "nodes", "name")
"""Parameters that submitit has for every cluster; others are Slurm's own."""


class Resumable:
    """A job that Slurm may stop and queue again: it goes on after its last finished epoch.

    Args:
        execute: runs a job.
    """

    def __init__(self, execute: Callable[[Job], Finished]) -> None:
        self._execute = execute

    def __call__(self, job: Job) -> Finished:
        """Runs it."""
        return self._execute(job)

    def checkpoint(self, job: Job) -> submitit.helpers.DelayedSubmission:
        """What is queued again when the time is over or a more urgent job comes."""
        return submitit.helpers.DelayedSubmission(self, job)


def executor(cluster: str, folder: str, **parameters: Any) -> submitit.AutoExecutor:
    """Submitit's executor.

    Args:
        cluster: ``slurm`` or ``local``.
        folder: for scripts and logs.
        **parameters: those of ``sbatch`` as submitit names them; None leaves one out.

    Raises:
        UserError: where there is no such cluster here.
    """
    given = {
        key if key in COMMON else f"slurm_{key}": value
        for key, value in parameters.items()
        if value is not None
    }
    try:
        found = submitit.AutoExecutor(folder=folder, cluster=cluster)
        found.update_parameters(**given)
    except (RuntimeError, ValueError, NameError, TypeError) as error:
        raise UserError(f"hydra.launcher ({cluster}): {error}") from error
    return found


def results(
    execute: Callable[[Job], Finished],
    jobs: Sequence[Job],
    *,
    threads: int,
    cluster: str,
    n_jobs: int = -1,
    **options: Any,
) -> Generator[Finished, None, None]:
    """Runs jobs by submitit; see :meth:`src.sweeps.launcher.ParallelLauncher.results`.

    Args:
        execute: runs a job.
        jobs: all of them.
        threads: of TensorFlow in each job.
        cluster: ``slurm`` or ``local``.
        n_jobs: jobs at once; -1 for as many as the cores allow, or as Slurm gives.
        **options: of :func:`executor`.
    """
    cluster_executor = executor(cluster, **options)
    every = len(jobs) if cluster == "slurm" else max(1, cpu_count() // threads)
    at_once = every if n_jobs == -1 else n_jobs
    waiting, running = list(jobs), list[submitit.Job[Finished]]()
    try:
        while waiting or running:
            free = max(0, at_once - len(running))
            starting, waiting = waiting[:free], waiting[free:]
            if starting:  # one array where Slurm gets them
                running += cluster_executor.map_array(Resumable(execute), starting)
            ended = [job for job in running if job.done()]
            for job in ended:
                running.remove(job)
                yield _result(job)
            if not ended:
                time.sleep(LOOKS)
    finally:
        _cancel(running)


def _result(job: "submitit.Job[Finished]") -> Finished:
    try:
        return job.result()
    except (submitit.core.utils.FailedJobError, submitit.core.utils.UncompletedJobError) as error:
        raise UserError(
            f"job {job.job_id} ended without a result; its log is {job.paths.stderr}"
        ) from error


def _cancel(jobs: Sequence["submitit.Job[Finished]"]) -> None:
    """Ends jobs, and waits a moment for those of this machine to say so in the store."""
    for job in jobs:
        job.cancel(check=False)
    deadline = time.monotonic() + GRACE
    while time.monotonic() < deadline and not all(job.done() for job in jobs):
        time.sleep(LOOKS)
