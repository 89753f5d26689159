"""Jobs on a Ray cluster, or on one that Ray starts on this machine for the sweep.

``hydra-ray-launcher`` 1.2 brings Ray's autoscaler for AWS and hands back nothing until every job
is done; this asks Ray for tasks, which it runs in workers that keep TensorFlow loaded.
"""

import os
from collections.abc import Generator, Sequence
from typing import Any

from src.entry import QUIET
from src.errors import UserError
from src.sweeps.engine import PROJECT, Engine
from src.sweeps.jobs import Jobs
from src.sweeps.worker import GRACE, Finished, execute

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
try:
    import ray
except ImportError as error:
    raise UserError("hydra/launcher=ray: ray is not installed; make cluster") from error

OBJECT_STORE = 100 * 2**20
"""Bytes of shared memory of a local cluster: configs and scores pass through it, no data."""


class RayEngine(Engine):
    """Asks a Ray cluster to run jobs.

    Args:
        address: of the cluster, such as ``auto`` or ``ray://HOST:10001``; None starts one here.
        num_cpus: cores of a cluster that is started here; None takes all.
        num_gpus: GPUs that each job gets; parts of one share it out.
    """

    def __init__(
        self, address: str | None = None, num_cpus: int | None = None, num_gpus: float = 0
    ) -> None:
        self._address, self._num_cpus, self._num_gpus = address, num_cpus, num_gpus

    def describe(self, jobs: int, threads: int) -> str:
        """Which cluster."""
        return f"Ray at {self._address}" if self._address else "Ray on this machine"

    def run(self, jobs: Jobs, threads: int) -> Generator[tuple[int, Finished], None, None]:
        """Asks for all jobs, which Ray runs as it has room."""
        self._start(threads)
        places: dict[Any, int] = {}
        try:
            run = ray.remote(execute).options(
                num_cpus=threads, num_gpus=self._num_gpus, max_retries=0
            )
            places = {run.remote(jobs.packed(place)): place for place in jobs.order}
            while places:
                (ended,), _ = ray.wait(list(places), num_returns=1)
                yield places.pop(ended), _result(ended)
        finally:
            _stop(list(places))

    def _start(self, threads: int) -> None:
        variables = {name: os.environ.get(name, value) for name, value in QUIET.items()}
        variables |= {"PYTHONPATH": str(PROJECT), "OMP_NUM_THREADS": str(threads)}
        words: dict[str, Any] = {"address": self._address}
        if self._address is None:
            words = {
                "num_cpus": self._num_cpus,
                "include_dashboard": False,
                "object_store_memory": OBJECT_STORE,
            }
        try:
            ray.init(
                **words,
                log_to_driver=False,
                logging_level="ERROR",
                runtime_env={"env_vars": variables},
            )
        except (ConnectionError, ValueError, RuntimeError) as error:
            raise UserError(f"hydra.launcher.address={self._address}: {error}") from error


def _result(reference: Any) -> Finished:
    try:
        finished: Finished = ray.get(reference)
        return finished
    except ray.exceptions.RayError as error:
        raise UserError(
            f"a Ray worker was ended from outside: {str(error).splitlines()[0]}; the same command "
            "goes on where it was"
        ) from error


def _stop(references: Sequence[Any]) -> None:
    """Ends jobs as an interruption would, and leaves the cluster."""
    for reference in references:
        ray.cancel(reference)
    if references:
        ray.wait(list(references), num_returns=len(references), timeout=GRACE)
    ray.shutdown()
