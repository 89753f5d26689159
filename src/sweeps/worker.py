"""One job in a worker: another process here, or one on another machine.

A worker that is told to stop (SIGTERM) ends its job as an interrupted one, so that its run says
KILLED and its checkpoint stays, and takes no other.
"""

import contextlib
import io
import multiprocessing
import os
import pickle
import signal
import threading
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Any

import cloudpickle
from hydra.core.singleton import Singleton
from hydra.core.utils import JobReturn, JobStatus, run_job, setup_globals
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from src.entry import TERMINATED
from src.sweeps.sweep import announce

GRACE = 10.0
"""Seconds that a job gets to end once it is told to."""


@dataclass(frozen=True)
class Task:
    """What a worker needs for one job.

    Attributes:
        config: composed for this job, with its ``hydra`` node.
        context: Hydra's, with its callbacks.
        function: the job.
        singletons: Hydra's state in the process that opened the sweep.
    """

    config: DictConfig
    context: HydraContext
    function: TaskFunction
    singletons: Any

    def pack(self) -> bytes:
        """For the way to a worker; functions of ``__main__`` go by value."""
        packed: bytes = cloudpickle.dumps(self)
        return packed


@dataclass(frozen=True)
class Finished:
    """A job that has run.

    Attributes:
        job: what Hydra returns for it.
        printed: what it wrote to its standard output and error.
        trace: the traceback where it failed; an exception loses its own on the way.
    """

    job: JobReturn
    printed: str
    trace: str = ""


def execute(packed: bytes, coming: Sequence[dict[str, Any]] = ()) -> Finished:
    """Runs one job in this process.

    Args:
        packed: what :meth:`Task.pack` gave; comes from the process that opened the sweep.
        coming: resolved configs of the jobs that this process is likely to get next.
    """
    task: Task = pickle.loads(packed)
    announce(coming)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        setup_globals()
        Singleton.set_state(task.singletons)
        job = run_job(
            hydra_context=task.context,
            task_function=task.function,
            config=task.config,
            job_dir_key="hydra.sweep.dir",
            job_subdir_key="hydra.sweep.subdir",
        )
    trace = ""
    if job.status == JobStatus.FAILED:
        error = job._return_value
        trace = "".join(traceback.format_exception(error))
        job.return_value = _portable(error)
    return Finished(job, printed.getvalue(), trace)


def _portable(error: BaseException) -> BaseException:
    """The error itself where it survives the way back, else one that says the same."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error


# --- a worker's end -----------------------------------------------------------------------------
_told: list[int] = []
"""The signal that told this process to stop."""


def begin() -> None:
    """Makes a process of :mod:`multiprocessing` a worker: ends with its parent, stops on SIGTERM.

    Ctrl-C reaches every process of a terminal; the parent alone decides what it means.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _stop)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _stop(number: int, frame: FrameType | None) -> None:
    if not _told:  # told once more it goes on with ending the job
        _told.append(number)
        raise SystemExit(TERMINATED)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE)
    os._exit(TERMINATED)
