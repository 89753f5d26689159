"""Jobs on a Ray cluster, or on one that Ray starts on this machine for the sweep.

``hydra-ray-launcher`` hands back nothing before every job is done; this asks Ray for tasks, which
it runs in workers that keep TensorFlow loaded.
"""

import os
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Any

from src.entry import QUIET
from src.errors import UserError
from src.sweeps.jobs import Finished, Job

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
try:
    import ray
except ImportError as error:
    raise UserError("hydra/launcher=ray: ray is not installed; make cluster") from error

PROJECT = Path(__file__).resolve().parents[2]
OBJECT_STORE = 100 * 2**20
"""Bytes of shared memory of a local cluster: configs and scores pass through it, no data."""
GRACE = 10.0
"""Seconds that jobs get to end as interrupted ones."""


def results(
    execute: Callable[[Job], Finished],
    jobs: Sequence[Job],
    *,
    threads: int,
    address: str | None = None,
    num_cpus: int | None = None,
    num_gpus: float = 0,
) -> Generator[Finished, None, None]:
    """Runs jobs by Ray; see :meth:`src.sweeps.launcher.ParallelLauncher.results`.

    Args:
        execute: runs a job.
        jobs: all of them.
        threads: of TensorFlow in each job.
        address: of the cluster, such as ``auto`` or ``ray://HOST:10001``; None starts one here.
        num_cpus: cores of a cluster that is started here; None takes all.
        num_gpus: GPUs that each job gets; parts of one share it out.
    """
    _start(threads, address, num_cpus)
    task = ray.remote(execute).options(num_cpus=threads, num_gpus=num_gpus, max_retries=0)
    running: list[Any] = []
    try:
        running = [task.remote(job) for job in jobs]
        while running:
            (ended,), running = ray.wait(running, num_returns=1)
            yield _result(ended)
    finally:
        for one in running:
            ray.cancel(one)
        if running:
            ray.wait(running, num_returns=len(running), timeout=GRACE)
        ray.shutdown()


def _start(threads: int, address: str | None, num_cpus: int | None) -> None:
    variables = {name: os.environ.get(name, value) for name, value in QUIET.items()}
    variables |= {"PYTHONPATH": str(PROJECT), "OMP_NUM_THREADS": str(threads)}
    here = {
        "num_cpus": num_cpus,
        "include_dashboard": False,
        "object_store_memory": OBJECT_STORE,
    }
    try:
        ray.init(
            **({"address": address} if address else here),
            log_to_driver=False,
            logging_level="ERROR",
            runtime_env={"env_vars": variables},
        )
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise UserError(f"hydra.launcher.address={address}: {error}") from error


def _result(reference: Any) -> Finished:
    try:
        finished: Finished = ray.get(reference)
        return finished
    except ray.exceptions.RayError as error:
        raise UserError(
            f"a Ray worker was ended from outside: {str(error).splitlines()[0]}; the same command "
            "goes on where it was"
        ) from error
