"""The child process in which code of others runs: TensorFlow imported once, one fork per job.

Each job runs in a session of its own, with nothing to read and its output in a file: what it
breaks, it breaks for itself.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import json
import os
import resource
import sys
from collections.abc import Callable
from dataclasses import asdict
from multiprocessing.connection import Connection
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

LARGEST_FILE = 256 * 1024 * 1024  # of output, or of a saved model
Emit = Callable[..., None]


def serve(pipe: Connection, environment: dict[str, str]) -> None:
    """Serves jobs until the other end of the pipe is closed.

    Args:
        pipe: jobs come in, events go out, all as JSON.
        environment: variables to set before TensorFlow is imported.
    """
    os.environ.update(environment)
    _redirect(os.devnull)
    import src.checks.run  # noqa: F401 (before the first fork, so that no fork pays for it)

    def emit(**content: Any) -> None:
        pipe.send_bytes(json.dumps(content).encode())

    emit(event="ready")
    while True:
        try:
            job = json.loads(pipe.recv_bytes())
        except EOFError:
            return
        process = os.fork()
        if process == 0:
            _work(job, emit)
        _, status = os.waitpid(process, 0)
        emit(event="ended", status=os.waitstatus_to_exitcode(status))


def _redirect(output: str) -> None:
    """Leaves the process nothing to read, and sends its output into a file."""
    read = os.open(os.devnull, os.O_RDONLY)
    write = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for target, source in ((0, read), (1, write), (2, write)):
        os.dup2(source, target)


def _work(job: dict[str, Any], emit: Emit) -> NoReturn:
    """One job, in its fork; the fork ends here, whatever the component left running in it."""
    try:
        os.setsid()
        emit(event="started", process=os.getpid())
        _redirect(job["output"])
        resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_FILE, LARGEST_FILE))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        _do(job, emit)
    except BaseException as error:
        emit(event="broken", text=_first_line(error))
        os._exit(70)
    os._exit(0)


def _do(job: dict[str, Any], emit: Emit) -> None:
    import keras

    from src.checks.construct import recipe
    from src.checks.registry import checks_of
    from src.checks.run import results_of
    from src.errors import UserError

    keras.utils.set_random_seed(0)
    try:
        module = _module(job)
        if job["name"] is None:
            emit(event="listed", components=components_of(module))
            return
        if not hasattr(module, job["name"]):
            raise UserError(f"{module.__name__} has no {job['name']}")
        shape = tuple(job["input_shape"]) if job["input_shape"] else None
        source = getattr(module, job["name"])
        made = recipe(source, job["kind"], job["arguments"], job["name"], shape)
    except UserError as error:
        emit(event="mistake", text=str(error))
        return
    except BaseException as error:
        emit(event="import_failed", text=_first_line(error))
        return
    checks = checks_of(made.kind)
    fields = ("name", "why", "mend", "example")
    listed = [{field: getattr(check, field) for field in fields} for check in checks]
    emit(event="component", kind=made.kind, made_with=made.guessed, checks=listed)
    for result in results_of(made, checks, lambda check: emit(event="start", check=check.name)):
        emit(event="result", **asdict(result))


def _module(job: dict[str, Any]) -> ModuleType:
    sys.path.insert(0, str(Path.cwd()))
    if job["file"] is None:
        return importlib.import_module(job["module"])
    file = Path(job["file"])
    sys.path.insert(0, str(file.parent))
    name = f"checked_{file.stem}" if file.stem.isidentifier() else "checked_file"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def components_of(module: ModuleType) -> list[str]:
    """Names of the components that a module defines, in its order.

    Classes of the four kinds, functions of (y_true, y_pred), and functions named after a loss.
    """
    from src.checks.construct import kind_of_class, takes_predictions

    def is_component(name: str, value: Any) -> bool:
        if name.startswith("_") or getattr(value, "__module__", None) != module.__name__:
            return False
        if inspect.isclass(value):
            return kind_of_class(value) is not None
        is_loss = "loss" in name.lower()
        return inspect.isfunction(value) and (is_loss or takes_predictions(value))

    return [name for name, value in vars(module).items() if is_component(name, value)]


def _first_line(error: BaseException) -> str:
    from src.checks.messages import one_line

    if isinstance(error, SystemExit):
        return f"it called sys.exit({error.code!r})"
    return one_line(error)
