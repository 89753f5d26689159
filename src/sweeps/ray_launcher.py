"""Jobs as tasks of a Ray cluster, or of one that Ray starts on this machine for the sweep."""

import os
from collections.abc import Callable, Generator, Sequence
from typing import Any

from src.entry import QUIET
from src.errors import UserError
from src.runs.import_tensorflow import ONEDNN
from src.sweeps.composer import Job
from src.sweeps.cores import python_path
from src.sweeps.jobs import Finished

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
try:
    import ray
except ImportError as error:
    raise UserError("hydra/launcher=ray: ray is not installed; make cluster") from error

OBJECT_STORE = 100 * 2**20
"""Bytes of shared memory of a local cluster: configs and scores pass through it, no data."""
GRACE = 10.0
"""Seconds that jobs get to end as interrupted ones."""


def results(
    execute: Callable[[Job], Finished],
    jobs: Sequence[Job],
    threads: int,
    *,
    address: str | None = None,
    num_cpus: int | None = None,
    num_gpus: float = 0,
) -> Generator[Finished, None, None]:
    """See ``JobLauncher.run_outside``; without ADDRESS Ray starts here."""
    variables = {name: os.environ.get(name, value) for name, value in QUIET.items()}
    variables |= {name: os.environ[name] for name in (ONEDNN,) if name in os.environ}
    variables |= {"PYTHONPATH": python_path(), "OMP_NUM_THREADS": str(threads)}
    here = {"num_cpus": num_cpus, "include_dashboard": False, "object_store_memory": OBJECT_STORE}
    try:
        ray.init(
            **({"address": address} if address else here),
            log_to_driver=False,
            logging_level="ERROR",
            runtime_env={"env_vars": variables},
        )
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise UserError(f"hydra.launcher.address={address}: {error}") from error
    running: list[Any] = []
    try:

        @ray.remote(num_cpus=threads, num_gpus=num_gpus, max_retries=0)
        def task(job: Job) -> Finished:  # Ray takes functions alone
            return execute(job)

        running = [task.remote(job) for job in jobs]
        while running:
            (ended,), running = ray.wait(running, num_returns=1)
            yield ray.get(ended)
    except ray.exceptions.RayError as error:
        raise UserError(
            f"a Ray worker was ended from outside: {str(error).splitlines()[0]}; the same command "
            "goes on where it was"
        ) from error
    finally:
        for one in running:
            ray.cancel(one)
        if running:
            ray.wait(running, num_returns=len(running), timeout=GRACE)
        ray.shutdown()
