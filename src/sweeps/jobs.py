"""One job of a sweep: composed by Hydra, run here or in a worker that sends back its output."""

import contextlib
import io
import json
import pickle
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra.conf import HydraConf
from hydra.core.singleton import Singleton
from hydra.core.utils import JobReturn, JobStatus, run_job, setup_globals
from hydra.types import HydraContext, RunMode, TaskFunction
from omegaconf import DictConfig, open_dict

from src.errors import UserError

SWEEP_FILE = "sweep.json"
"""In the sweep's folder: the MLflow run that its jobs belong to."""


@dataclass(frozen=True)
class Job:
    """A job: its number, from 0, its overrides, and its config with the ``hydra`` node."""

    number: int
    words: list[str]
    config: DictConfig


@dataclass(frozen=True)
class Finished:
    """A job that has run in a worker: what Hydra returns for it, and all that it printed."""

    number: int
    returned: JobReturn
    printed: str


def compose(context: HydraContext, master: DictConfig, words: Sequence[str], number: int) -> Job:
    """Composes a job from the sweep's config and its own overrides.

    Raises:
        HydraException: where it does not compose.
    """
    _ = master.hydra.sweep.dir  # asks what time it is, once for all jobs
    config = context.config_loader.load_sweep_config(master, list(words))
    with open_dict(config):
        config.hydra.job.id = str(number)
        config.hydra.job.num = number
    return Job(number, list(words), config)


def run_here(context: HydraContext, function: TaskFunction, job: Job) -> JobReturn:
    """Runs a job in this process."""
    return run_job(
        hydra_context=context,
        task_function=function,
        config=job.config,
        job_dir_key="hydra.sweep.dir",
        job_subdir_key="hydra.sweep.subdir",
    )


def run_in_worker(context: HydraContext, function: TaskFunction, state: Any, job: Job) -> Finished:
    """Runs a job in a worker.

    Args:
        context: Hydra's.
        function: the job's.
        state: of Hydra's singletons in the process that opened the sweep.
        job: the job.
    """
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        setup_globals()
        Singleton.set_state(state)
        returned = run_here(context, function, job)
    error = error_of(returned)
    if error is not None:
        returned.return_value = portable(error)
    return Finished(job.number, returned, printed.getvalue())


def error_of(returned: JobReturn) -> Exception | None:
    """What a job failed with; None where it did not."""
    if returned.status == JobStatus.COMPLETED:
        return None
    try:
        with contextlib.redirect_stderr(io.StringIO()):  # Hydra announces what is looked at
            _ = returned.return_value
    except Exception as error:
        return error
    return None


def portable(error: Exception) -> Exception:
    """The error itself where it survives the way back, else one that says the same."""
    trace = "".join(traceback.format_exception(error))
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        if isinstance(error, UserError):
            return UserError(str(error))
        error = RuntimeError(f"{type(error).__name__}: {error}")
    error.add_note(f"\nIn the worker:\n{trace}")  # an exception loses its traceback on the way
    return error


def parent_run_id(hydra: HydraConf) -> str | None:
    """The MLflow run of the sweep that a job belongs to.

    Args:
        hydra: the ``hydra`` node of the job's config.
    """
    if hydra.mode != RunMode.MULTIRUN:
        return None
    try:
        file = Path(hydra.sweep.dir) / SWEEP_FILE
        content = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return content.get("parent_run_id") or None
