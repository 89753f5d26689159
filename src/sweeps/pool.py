"""Worker processes of this machine that are handed one job at a time, each the one meant for it.

The processes are those of :mod:`multiprocessing`, copied from one (its fork server) that has
imported TensorFlow and MLflow and has run nothing: all workers together import them once. An
executor, joblib's or the standard library's, does not say which worker gets a job, and what a
worker keeps from its last job is worth as much as a short training.
"""

import atexit
import multiprocessing
import os
import pickle
import signal
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import cloudpickle
from threadpoolctl import threadpool_limits

from src.sweeps.engine import variables
from src.sweeps.worker import GRACE, Finished, begin, execute

PRELOADED = "src.runs.ready"
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
"""While the process that workers are copied from imports: it has to have no threads."""

_context = multiprocessing.get_context("forkserver")


def start_importing() -> None:
    """Starts the process that workers are copied from; returns at once."""
    _context.set_forkserver_preload([PRELOADED])
    with variables(**ONE_THREAD):
        forkserver.ensure_running()


@atexit.register
def _stop_importing() -> None:
    """Ends that process; it would otherwise import to the end where a sweep is refused."""
    pid = getattr(getattr(forkserver, "_forkserver", None), "_forkserver_pid", None)
    if pid is not None:
        with suppress(OSError):
            os.kill(pid, signal.SIGTERM)
            os.waitpid(pid, 0)


class Worker:
    """One process.

    Args:
        threads: of the linear algebra under NumPy and scikit-learn.

    Attributes:
        connection: to it; there is something to read when a job has ended, and when it has died.
    """

    def __init__(self, threads: int) -> None:
        self.connection: Connection
        self.connection, its_end = _context.Pipe()
        self._process = _context.Process(
            target=_serve, args=(its_end, dict(os.environ), threads), name="worker"
        )
        self._process.start()
        its_end.close()

    def give(self, packed: bytes, coming: Sequence[dict[str, Any]]) -> None:
        """Hands it a job, with the configs of those it is likely to get next."""
        with suppress(BrokenPipeError):  # it has died, which reading will say
            self.connection.send((packed, coming))

    def result(self) -> Finished:
        """How its job ended.

        Raises:
            EOFError, ConnectionResetError: where the process has died.
        """
        finished: Finished = pickle.loads(self.connection.recv_bytes())
        return finished

    def alive(self) -> bool:
        """Whether it is there."""
        return self._process.is_alive()

    def tell_to_stop(self) -> None:
        """It ends its job as an interrupted one."""
        self._process.terminate()

    def end(self, deadline: float) -> None:
        """Waits for it, idle or told to stop, to a time of the monotonic clock; then kills it."""
        self.connection.close()
        self._process.join(max(0.0, deadline - time.monotonic()))
        if self._process.is_alive():
            self._process.kill()
            self._process.join()


def _serve(connection: Connection, environment: Mapping[str, str], threads: int) -> None:
    """What a worker does: jobs, until there are no more."""
    begin()
    os.environ.clear()
    os.environ.update(environment)
    threadpool_limits(threads)
    with suppress(EOFError, BrokenPipeError):
        while True:
            packed, coming = connection.recv()
            # by value what Hydra has loaded twice, as it does with its plugins
            connection.send_bytes(cloudpickle.dumps(execute(packed, coming)))


# --- those that wait ----------------------------------------------------------------------------
_kept: dict[tuple[Any, ...], list[Worker]] = {}
"""Workers without a job, by what they were started with: a search launches again and again."""


def workers(number: int, threads: int) -> list[Worker]:
    """So many workers, those of the last launch where they fit."""
    key = (number, threads, Path.cwd(), tuple(sorted(os.environ.items())))
    found = _kept.pop(key, [])
    end_kept()
    if len(found) == number and all(worker.alive() for worker in found):
        _kept[key] = found
        return found
    end(found)
    start_importing()
    _kept[key] = []
    for _ in range(number):  # each is kept as it starts: an interruption may come in between
        _kept[key].append(Worker(threads))
    return _kept[key]


def end(these: Sequence[Worker]) -> None:
    """Ends workers; those that do not within a moment are killed."""
    deadline = time.monotonic() + GRACE
    for worker in these:
        worker.connection.close()
    for worker in these:
        worker.end(deadline)


@atexit.register
def end_kept() -> None:
    """Ends the workers that wait."""
    while _kept:
        end(_kept.popitem()[1])
