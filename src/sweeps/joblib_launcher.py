"""Jobs in worker processes of this machine, which begin with TensorFlow loaded."""

import multiprocessing
import os
import pickle
import signal
import sys
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.forkserver import ensure_running
from pathlib import Path

from joblib import cpu_count, wrap_non_picklable_objects

from src.errors import UserError, override
from src.runs.import_tensorflow import ONEDNN, import_tensorflow
from src.sweeps.composer import Job
from src.sweeps.cores import workers
from src.sweeps.jobs import Finished

PROJECT = Path(__file__).resolve().parents[2]
PRELOADED = "src.jobs.preloaded"
OWN_CORES = "OMP_NUM_THREADS"
"""Variable with a process's share of the cores, where users have not set it."""
A_BATCH, LONGEST_BATCH = 200, 32
"""A worker is given this part of the jobs at a time, but not more than so many: trials of one seed
share data and first weights, and what runs them is sent once for all."""


class Workers:
    """Processes that run jobs, copies of one that has loaded TensorFlow before the first of them.

    Elsewhere than on Linux a process with so many libraries cannot be copied: each loads them.

    Args:
        jobs: all that are to be run.
        threads: of TensorFlow in each worker.
        n_jobs: how many workers; -1 for as many as the cores allow.

    Raises:
        UserError: for a number that is none of workers.
    """

    def __init__(self, jobs: Sequence[Job], threads: int, *, n_jobs: int = -1) -> None:
        self._at_once = min(len(jobs), workers(n_jobs, threads))
        onednn = next((bool(job.config.training.onednn) for job in jobs if _trains(job)), None)
        share = os.environ.get(OWN_CORES, str(max(1, cpu_count() // self._at_once)))
        variables = {"PYTHONPATH": _path(), "PYTHONSAFEPATH": "1", OWN_CORES: share}
        self._loads = onednn is not None
        if onednn is not None:
            variables[ONEDNN] = str(int(onednn))
        copies = sys.platform == "linux"
        context = multiprocessing.get_context("forkserver" if copies else "spawn")
        context.set_forkserver_preload([PRELOADED] if onednn is not None else [])
        self._pool = ProcessPoolExecutor(
            self._at_once, context, initializer=_begin, initargs=(share, onednn)
        )
        if copies:
            with _environment(variables):
                ensure_running()  # it loads while the sweep's process goes on

    def results(
        self, execute: Callable[[Job], Finished], jobs: Sequence[Job]
    ) -> Generator[Finished, None, None]:
        """See ``ParallelLauncher``."""
        if self._loads:
            print(f"{self._at_once} workers load TensorFlow, which takes some seconds", flush=True)
            self._loads = False
        size = min(max(len(jobs) // A_BATCH, 1), LONGEST_BATCH)
        sent = pickle.dumps(wrap_non_picklable_objects(execute, keep_wrapper=False))
        batches = (jobs[start : start + size] for start in range(0, len(jobs), size))
        under_way = [self._pool.submit(_run, sent, batch) for batch in batches]
        self._pool.submit(int)  # a pool watches the workers that are there when it is given a task
        try:
            for batch in as_completed(under_way):
                yield from batch.result()
        except BrokenProcessPool as error:
            raise UserError(
                "a worker was ended from outside, which is what a machine that runs out of memory "
                "does; the same command goes on where it was, with fewer workers by "
                + override("hydra.launcher.n_jobs", max(1, self._at_once - 1))
            ) from error

    def close(self) -> None:
        """Ends the workers, whatever they are doing."""
        for process in multiprocessing.active_children():
            process.kill()
        self._pool.shutdown(cancel_futures=True)


def _trains(job: Job) -> bool:
    """Whether a job needs TensorFlow, as far as its words tell."""
    return not any(word.startswith("estimator=") for word in job.words)


def _path() -> str:
    given = os.environ.get("PYTHONPATH")
    return os.pathsep.join([str(PROJECT), *([given] if given else [])])


@contextmanager
def _environment(variables: dict[str, str]) -> Iterator[None]:
    """Variables of the processes that begin meanwhile."""
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _run(sent: bytes, jobs: Sequence[Job]) -> list[Finished]:
    execute: Callable[[Job], Finished] = pickle.loads(sent)
    return [execute(job) for job in jobs]


def _begin(share: str, onednn: bool | None) -> None:
    """Makes a process a worker: Ctrl-C is for the sweep's process to decide on.

    Args:
        share: of the cores.
        onednn: of the jobs that train; None where none does.
    """
    os.environ[OWN_CORES] = share
    sweep = multiprocessing.parent_process()
    assert sweep is not None  # nobody else begins a worker

    def end_with_sweep() -> None:
        sweep.join()
        os.kill(os.getpid(), signal.SIGKILL)

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=end_with_sweep, daemon=True).start()
    if onednn is not None:
        import_tensorflow(onednn=onednn)
