"""Jobs as Slurm jobs, or in processes of this machine started the same way, by submitit.

``hydra-submitit-launcher`` 1.2 hands back nothing until every job is done; this drives submitit
itself, so the sweep has its progress display, and its end, as with any other launcher.
"""

import time
from collections.abc import Generator, Mapping, Sequence
from typing import Any

import joblib

from src.errors import UserError
from src.sweeps.engine import Engine, variables
from src.sweeps.jobs import Jobs
from src.sweeps.worker import GRACE, Finished, execute

try:
    import submitit
except ImportError as error:
    raise UserError("hydra/launcher=submitit_*: submitit is not installed; make cluster") from error

LOOKS = 0.2
"""Seconds between two looks at which jobs have ended; Slurm itself is asked less often."""
COMMON = ("timeout_min", "cpus_per_task", "gpus_per_node", "mem_gb", "nodes", "name")
"""Parameters that submitit has for every cluster; others are Slurm's own."""


class Resumable:
    """A job that Slurm may stop and queue again: it goes on after its last finished epoch."""

    def __call__(self, packed: bytes) -> Finished:
        """Runs it."""
        return execute(packed)

    def checkpoint(self, packed: bytes) -> submitit.helpers.DelayedSubmission:
        """What is queued again when the time is over or a more urgent job comes."""
        return submitit.helpers.DelayedSubmission(self, packed)


class SubmititEngine(Engine):
    """Submits jobs to a cluster.

    Args:
        cluster: ``slurm`` or ``local``.
        folder: for submitit's scripts and logs.
        n_jobs: how many at once; -1 for as many as the cores allow, or as Slurm gives.
        **parameters: those of ``sbatch`` as submitit names them; None leaves one out.

    Raises:
        UserError: where there is no such cluster here.
    """

    def __init__(self, cluster: str, folder: str, n_jobs: int = -1, **parameters: Any) -> None:
        self._cluster, self._n_jobs = cluster, n_jobs
        try:
            self._executor = submitit.AutoExecutor(folder=folder, cluster=cluster)
            self._executor.update_parameters(**self._parameters(parameters))
        except (RuntimeError, ValueError, NameError, TypeError) as error:
            raise UserError(f"hydra.launcher ({cluster}): {error}") from error

    def describe(self, jobs: int, threads: int) -> str:
        """``Slurm``, or how many processes."""
        return "Slurm" if self._cluster == "slurm" else f"{self._at_once(jobs, threads)} processes"

    def run(self, jobs: Jobs, threads: int) -> Generator[tuple[int, Finished], None, None]:
        """Submits the jobs, as many as may be under way at a time."""
        waiting = [(place, jobs.packed(place)) for place in jobs.order]
        under_way: dict[int, submitit.Job[Finished]] = {}
        at_once = self._at_once(len(jobs), threads)
        try:
            while waiting or under_way:
                started, waiting = _split(waiting, at_once - len(under_way))
                under_way |= self._submit(started)
                ended = [number for number, job in under_way.items() if job.done()]
                for number in ended:
                    job = under_way.pop(number)
                    yield number, _result(job)
                if not ended:
                    time.sleep(LOOKS)
        finally:
            _cancel(list(under_way.values()))

    def _submit(self, tasks: Sequence[tuple[int, bytes]]) -> dict[int, Any]:
        """Submits some tasks: one array where Slurm gets them."""
        if not tasks:
            return {}
        numbers, packed = zip(*tasks, strict=True)
        with variables():
            jobs = self._executor.map_array(Resumable(), packed)
        return dict(zip(numbers, jobs, strict=True))

    def _at_once(self, jobs: int, threads: int) -> int:
        if self._n_jobs != -1:
            return max(1, self._n_jobs)
        return jobs if self._cluster == "slurm" else max(1, joblib.cpu_count() // threads)

    def _parameters(self, given: Mapping[str, Any]) -> dict[str, Any]:
        return {
            key if key in COMMON else f"slurm_{key}": value
            for key, value in given.items()
            if value is not None
        }


def _split(waiting: list[Any], free: int) -> tuple[list[Any], list[Any]]:
    return waiting[: max(0, free)], waiting[max(0, free) :]


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
