"""Jobs in worker processes of this machine, each of which trains many with TensorFlow loaded once.

It stands where ``hydra-joblib-launcher`` stands in other projects. That hands back nothing until
every job is done, so there is no progress to show, and ends workers in the middle of a write when
it is interrupted; joblib itself says how many cores there are.
"""

from collections.abc import Generator
from multiprocessing.connection import wait
from typing import Any

import joblib

from src.errors import UserError
from src.sweeps import pool
from src.sweeps.engine import Engine
from src.sweeps.jobs import Jobs
from src.sweeps.queues import Queues
from src.sweeps.worker import Finished


class JoblibEngine(Engine):
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

    def run(self, jobs: Jobs, threads: int) -> Generator[tuple[int, Finished], None, None]:
        """Hands each worker the jobs of its stretch, one after another."""
        number_of_workers, share = self._shares(len(jobs), threads)
        workers: list[pool.Worker] = []
        queues = Queues(jobs.order, jobs.repeats, number_of_workers)
        busy: dict[Any, tuple[int, int]] = {}

        def give(number: int) -> None:
            taken = queues.take(number)
            if taken:
                place, later = taken
                busy[workers[number].connection] = (number, place)
                workers[number].give(jobs.packed(place), [jobs.configs[one] for one in later])

        try:
            workers += pool.workers(number_of_workers, share)
            for number in range(number_of_workers):
                give(number)
            while busy:
                for connection in wait(list(busy)):
                    number, place = busy[connection]
                    finished = workers[number].result()
                    del busy[connection]
                    give(number)  # first, so that it need not wait for what is shown meanwhile
                    yield place, finished
        except (EOFError, ConnectionError) as error:
            raise UserError(
                "a worker was ended from outside, which is what a machine that runs out of memory "
                "does; the same command goes on where it was, with fewer workers by "
                f"hydra.launcher.n_jobs={max(1, number_of_workers - 1)}"
            ) from error
        finally:
            if busy:
                for number, _ in busy.values():
                    workers[number].tell_to_stop()
                pool.end_kept()

    def _shares(self, jobs: int, threads: int) -> tuple[int, int]:
        """Workers, and threads of linear algebra for each."""
        cores = joblib.cpu_count()
        workers = max(1, cores // threads) if self._n_jobs == -1 else self._n_jobs
        workers = max(1, min(workers, jobs))
        return workers, max(1, cores // workers)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
