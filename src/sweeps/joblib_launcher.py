"""Jobs in worker processes of this machine, each of which runs many with TensorFlow loaded once."""

import atexit
import os
import signal
import threading
import time
from collections.abc import Callable, Generator, Sequence
from concurrent.futures.process import BrokenProcessPool

from joblib import Parallel, delayed

from src.errors import UserError, override
from src.runs.import_tensorflow import import_tensorflow
from src.sweeps.composer import Job
from src.sweeps.cores import workers
from src.sweeps.jobs import Finished

A_BATCH, LONGEST_BATCH = 200, 32
"""A worker is given this part of the jobs at a time, but not more than so many: trials of one seed
share data and first weights, and what runs them is pickled once for all."""
LOOKS = 1.0
"""Seconds between two looks of a worker at whether the sweep's process still lives."""


def results(
    execute: Callable[[Job], Finished], jobs: Sequence[Job], threads: int, *, n_jobs: int = -1
) -> Generator[Finished, None, None]:
    """See ``ParallelLauncher``; ``n_jobs`` workers at most."""
    at_once = min(len(jobs), workers(n_jobs, threads))
    onednn = next((_onednn(job) for job in jobs if _trains(job)), None)
    if onednn is not None:
        print(f"{at_once} workers load TensorFlow, which takes some seconds", flush=True)
    pool = Parallel(
        at_once,
        backend="loky",
        return_as="generator_unordered",
        batch_size=min(max(len(jobs) // A_BATCH, 1), LONGEST_BATCH),
        initializer=_begin,
        initargs=(os.getpid(), onednn),
    )
    try:
        yield from pool(delayed(execute)(job) for job in jobs)
    except BrokenProcessPool as error:
        raise UserError(
            "a worker was ended from outside, which is what a machine that runs out of memory "
            "does; the same command goes on where it was, with fewer workers by "
            + override("hydra.launcher.n_jobs", max(1, at_once - 1))
        ) from error


def _trains(job: Job) -> bool:
    """Whether a job needs TensorFlow, as far as its words tell."""
    return not any(word.startswith("estimator=") for word in job.words)


def _onednn(job: Job) -> bool:
    return bool(job.config.training.onednn)


def _begin(parent: int, onednn: bool | None) -> None:
    """Makes a process a worker: Ctrl-C is for PARENT to decide on, with which the worker ends.

    ONEDNN is that of the jobs that train, None where none does.

    TensorFlow is there before the first job: joblib takes the memory of a worker after that for its
    usual size, and replaces the worker when it has 300 MB more.
    """

    def end_with_parent() -> None:
        while os.getppid() == parent:
            time.sleep(LOOKS)
        os.kill(os.getpid(), signal.SIGKILL)

    atexit.register(os._exit, 0)  # an interpreter with TensorFlow takes a second to take apart
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=end_with_parent, daemon=True).start()
    if onednn is not None:
        import_tensorflow(onednn=onednn)
