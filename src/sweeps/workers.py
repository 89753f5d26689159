"""Jobs in worker processes of this machine, which begin with TensorFlow loaded."""

import multiprocessing
import os
import pickle
import signal
import sys
import threading
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.forkserver import ensure_running
from multiprocessing.process import BaseProcess

from joblib import cpu_count, wrap_non_picklable_objects

from src.entry import environment
from src.errors import UserError, override
from src.runs.import_tensorflow import ONEDNN, import_tensorflow
from src.sweeps.composer import Job
from src.sweeps.cores import python_path
from src.sweeps.jobs import Finished

PRELOADED = "src.jobs.preloaded"
OWN_CORES = "OMP_NUM_THREADS"
"""Variable with a process's share of the cores, where users have not set it."""
BATCHES, LONGEST_BATCH = 200, 32
"""The jobs are sent to the workers in about so many batches, none longer than this: trials of one
seed share data and first weights, and what runs them is sent once per batch."""


class Workers:
    """Processes that run jobs, copies of one that has loaded TensorFlow before the first of them.

    Elsewhere than on Linux a process with so many libraries cannot be copied: each loads them.

    Args:
        jobs: all that are to be run.
        at_once: how many workers.
    """

    def __init__(self, jobs: Sequence[Job], at_once: int) -> None:
        self._at_once, self._processes = at_once, set[BaseProcess]()
        onednn = next((bool(job.config.training.onednn) for job in jobs if _trains(job)), None)
        self._loads = onednn is not None
        share = os.environ.get(OWN_CORES, str(max(1, cpu_count() // at_once)))
        variables = {"PYTHONPATH": python_path(), "PYTHONSAFEPATH": "1", OWN_CORES: share}
        if onednn is not None:
            variables[ONEDNN] = str(int(onednn))
        copies = sys.platform == "linux"
        context = multiprocessing.get_context("forkserver" if copies else "spawn")
        context.set_forkserver_preload([PRELOADED] if self._loads else [])
        self._pool = ProcessPoolExecutor(
            at_once, context, initializer=_begin, initargs=(share, onednn)
        )
        if copies:
            with environment(variables):
                ensure_running()  # it loads while the sweep's process goes on

    def results(
        self, execute: Callable[[Job], Finished], jobs: Sequence[Job]
    ) -> Generator[Finished, None, None]:
        """Yields each job as it ends.

        Args:
            execute: runs a job.
            jobs: all of them.

        Raises:
            UserError: where a worker was ended from outside.
        """
        if self._loads:
            print(f"{self._at_once} workers load TensorFlow, which takes some seconds", flush=True)
            self._loads = False
        size = min(max(len(jobs) // BATCHES, 1), LONGEST_BATCH)
        sent = pickle.dumps(wrap_non_picklable_objects(execute, keep_wrapper=False))
        others = set(multiprocessing.active_children()) - self._processes
        try:
            under_way = [
                self._pool.submit(_run, sent, jobs[start : start + size])
                for start in range(0, len(jobs), size)
            ]
            self._pool.submit(int)  # a pool watches the workers that it has when it is given a task
        finally:
            self._processes = set(multiprocessing.active_children()) - others
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
        for process in self._processes:
            process.kill()
        self._pool.shutdown(cancel_futures=True)


def _trains(job: Job) -> bool:
    """Whether a job needs TensorFlow, as far as its words tell."""
    return not any(word.startswith("estimator=") for word in job.words)


def _run(sent: bytes, jobs: Sequence[Job]) -> list[Finished]:
    execute: Callable[[Job], Finished] = pickle.loads(sent)
    return [execute(job) for job in jobs]


def _begin(share: str, onednn: bool | None) -> None:
    """Makes a process a worker: Ctrl-C is for the sweep's process to decide on."""
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
