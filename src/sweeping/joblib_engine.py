"""Jobs in worker processes of this machine, each of which imports TensorFlow once for many jobs.

The workers are those of joblib (its loky executor), used directly: ``hydra-joblib-launcher`` hands
back nothing until every job is done, so there is no progress to show, and ends workers in the
middle of a write when it is interrupted.
"""

import multiprocessing
import os
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, Future, as_completed, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress

import joblib
from joblib.externals.loky import get_reusable_executor

from src.errors import UserError
from src.sweeping.worker import GRACE, Finished, begin, execute

IDLE = 60
"""Seconds after which a worker without a job ends; all end with this process."""
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""Read by the linear algebra under NumPy and scikit-learn; TensorFlow has ``training.threads``."""


class JoblibEngine:
    """A pool of worker processes.

    Args:
        n_jobs: how many at most; -1 for as many as the cores allow.

    Raises:
        UserError: for a number that is neither -1 nor positive.
    """

    def __init__(self, n_jobs: int = -1) -> None:
        if not isinstance(n_jobs, int) or isinstance(n_jobs, bool) or n_jobs < -1 or n_jobs == 0:
            raise UserError(
                f"hydra.launcher.n_jobs={n_jobs}: must be a number of workers, or -1 for as many "
                "as there are cores"
            )
        self._n_jobs = n_jobs

    def describe(self, jobs: int, threads: int) -> str:
        """``2 workers, 1 thread each``."""
        workers, share = self._shares(jobs, threads)
        return f"{_count(workers, 'worker')}, {_count(share, 'thread')} each"

    def run(self, tasks: Sequence[bytes], threads: int) -> Iterator[tuple[int, Finished]]:
        """Runs tasks, in their order where there are more than workers; yields them as they end.

        Args:
            tasks: packed jobs.
            threads: what TensorFlow takes in each job.

        Yields:
            The number of a task, and how it ended.

        Raises:
            UserError: where a worker was ended from outside.
        """
        workers, share = self._shares(len(tasks), threads)
        pool = get_reusable_executor(  # a search launches again and again, with the same workers
            workers,
            timeout=IDLE,
            initializer=begin,
            initargs=(os.getpid(),),
            env=dict.fromkeys(THREAD_VARIABLES, str(share)),
        )
        with warnings.catch_warnings():
            # a worker whose first job was answered grows by TensorFlow later, and is renewed
            warnings.filterwarnings("ignore", message="A worker stopped while some jobs")
            places: dict[Future[Finished], int] = {}
            try:
                for number, task in enumerate(tasks):
                    places[pool.submit(execute, task)] = number
                for future in as_completed(places):
                    yield places[future], future.result()
            except BrokenProcessPool as error:
                raise UserError(
                    "a worker was ended from outside, which is what a machine that runs out of "
                    "memory does; the same command goes on where it was, with fewer workers by "
                    f"hydra.launcher.n_jobs={max(1, workers - 1)}"
                ) from error
            finally:
                _stop(pool, list(places))

    def _shares(self, jobs: int, threads: int) -> tuple[int, int]:
        """Workers, and threads of linear algebra for each."""
        cores = joblib.cpu_count()
        workers = max(1, cores // threads) if self._n_jobs == -1 else self._n_jobs
        workers = max(1, min(workers, jobs))
        return workers, max(1, cores // workers)


def _stop(pool: Executor, futures: Sequence[Future[Finished]]) -> None:
    """Ends the workers of jobs still under way, which are told to and get a moment for it."""
    under_way = [future for future in futures if not future.done() and not future.cancel()]
    if not under_way:
        return
    for process in multiprocessing.active_children():
        with suppress(OSError):
            process.terminate()
    wait(under_way, timeout=GRACE)
    pool.shutdown(wait=True, kill_workers=True)  # type: ignore[call-arg]


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
