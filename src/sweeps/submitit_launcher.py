"""Jobs as Slurm jobs, or in processes of this machine started the same way, by submitit."""

import os
from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from functools import partial
from itertools import islice
from typing import Any

from src.config.ranges import AUTO
from src.errors import UserError
from src.sweeps.composer import Job
from src.sweeps.cores import python_path, workers
from src.sweeps.jobs import Finished

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


class Resumable(partial[Finished], submitit.helpers.Checkpointable):
    """Runs a job that Slurm may stop and queue again: it goes on after its last finished epoch."""


def results(
    execute: Callable[[Job], Finished],
    jobs: Sequence[Job],
    threads: int,
    *,
    cluster: str,
    folder: str,
    n_jobs: int = -1,
    **parameters: Any,
) -> Generator[Finished, None, None]:
    """See ``JobLauncher.run_outside``; ``n_jobs`` run at once on ``slurm`` or ``local``.

    The parameters are those of ``sbatch`` as submitit names them; None leaves one out. The folder
    is for scripts and logs.
    """
    try:
        executor = submitit.AutoExecutor(folder=folder, cluster=cluster)
        given = {
            key: threads if value == AUTO else value
            for key, value in parameters.items()
            if value is not None
        }
        executor.update_parameters(
            **{key if key in COMMON else f"slurm_{key}": value for key, value in given.items()}
        )
    except (RuntimeError, ValueError, NameError, TypeError) as error:
        raise UserError(f"hydra.launcher ({cluster}): {error}") from error
    os.environ["PYTHONPATH"] = python_path()
    every = len(jobs) if cluster == "slurm" and n_jobs == -1 else n_jobs
    at_once, task = min(len(jobs), workers(every, threads)), Resumable(execute)
    if cluster != "slurm":
        os.environ.setdefault("OMP_NUM_THREADS", str(workers(-1, at_once)))
    waiting = iter(jobs[at_once:])
    submitted = executor.map_array(task, jobs[:at_once])  # one array where Slurm gets them
    try:
        for ended in submitit.helpers.as_completed(submitted, poll_frequency=LOOKS):
            submitted += [executor.submit(task, job) for job in islice(waiting, 1)]
            yield ended.result()
    except (submitit.core.utils.FailedJobError, submitit.core.utils.UncompletedJobError) as error:
        raise UserError(
            f"job {ended.job_id} ended without a result; its log is {ended.paths.stderr}"
        ) from error
    finally:
        running = [job for job in submitted if not job.done()]
        for job in running:
            job.cancel(check=False)
        with suppress(TimeoutError):  # those of this machine say in the store that they were ended
            list(submitit.helpers.as_completed(running, timeout=GRACE, poll_frequency=LOOKS))
