"""One job in a worker: another process here, or one on another machine.

A worker that is told to stop (SIGTERM) ends its job as an interrupted one, so that its run says
KILLED and its checkpoint stays, and takes no other.
"""

import contextlib
import io
import os
import pickle
import signal
import threading
import time
import traceback
from dataclasses import dataclass
from types import FrameType
from typing import Any

import cloudpickle
from hydra.core.singleton import Singleton
from hydra.core.utils import JobReturn, JobStatus, run_job, setup_globals
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from src.entry import TERMINATED

GRACE = 10.0
"""Seconds that a job gets to end once it is told to."""
LOOKS = 1.0
"""Seconds between two looks at whether the parent still lives."""


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


def execute(packed: bytes) -> Finished:
    """Runs one job in this process.

    Args:
        packed: what :meth:`Task.pack` gave; comes from the process that opened the sweep.
    """
    with _stoppable():
        task: Task = pickle.loads(packed)
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
class _State:
    """Whether this process runs a job, and whether it has been told to stop."""

    running = False
    stopped = False


def begin(parent: int) -> None:
    """Makes this process a worker: ends with its parent, stops on SIGTERM.

    Ctrl-C reaches every process of a terminal; the parent alone decides what it means.

    Args:
        parent: process id of the process that opened the sweep.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _stop)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _stop(number: int, frame: FrameType | None) -> None:
    _State.stopped = True
    if _State.running:
        raise SystemExit(TERMINATED)


@contextlib.contextmanager
def _stoppable() -> Any:
    if _State.stopped:
        raise SystemExit(TERMINATED)
    _State.running = True
    try:
        yield
    finally:
        _State.running = False


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(LOOKS)
    os.kill(os.getpid(), signal.SIGTERM)
    deadline = time.monotonic() + GRACE
    while _State.running and time.monotonic() < deadline:
        time.sleep(0.1)
    os._exit(TERMINATED)
