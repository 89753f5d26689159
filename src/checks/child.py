"""The process in which somebody else's code runs: one fork a job, TensorFlow imported once.

    python -m src.checks.child FD

Reads jobs as lines of JSON from standard input and writes events as lines of JSON to the file
descriptor FD. Each job runs in a fork of its own, in a session of its own, with nothing to read
and its output in a file: what it breaks, it breaks for itself.
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
from pathlib import Path
from types import ModuleType
from typing import Any

LARGEST_FILE = 256 * 1024 * 1024  # of output, or of a saved model
Emit = Callable[..., None]


def main() -> None:
    """Serves jobs until the input ends."""
    events = int(sys.argv[1])
    import keras  # noqa: F401 (before the first fork, so that no fork pays for it)
    import tensorflow  # noqa: F401

    import src.checks.run  # noqa: F401

    _emit(events)(event="ready")
    for line in sys.stdin:
        job = json.loads(line)
        process = os.fork()
        if process == 0:
            try:
                _serve(job, _emit(events))
            except BaseException as error:
                _emit(events)(event="broken", text=f"{type(error).__name__}: {error}")
                os._exit(70)
            os._exit(0)
        _, status = os.waitpid(process, 0)
        _emit(events)(event="ended", status=os.waitstatus_to_exitcode(status))


def _emit(events: int) -> Emit:
    def emit(**content: Any) -> None:
        os.write(events, json.dumps(content).encode() + b"\n")

    return emit


def _serve(job: dict[str, Any], emit: Emit) -> None:
    """One job, in its fork."""
    os.setsid()
    emit(event="forked", process=os.getpid())
    nothing = os.open(os.devnull, os.O_RDONLY)
    output = os.open(job["output"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for target, source in ((0, nothing), (1, output), (2, output)):
        os.dup2(source, target)
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_FILE, LARGEST_FILE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        module = _module(job)
    except BaseException as error:
        emit(event="import_failed", text=_first_line(error))
        return
    if job["name"] is None:
        emit(event="listed", components=components_of(module))
    else:
        _check(job, module, emit)


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

    found = []
    for name, value in vars(module).items():
        if name.startswith("_") or getattr(value, "__module__", None) != module.__name__:
            continue
        if inspect.isclass(value):
            wanted = kind_of_class(value) is not None
        else:
            wanted = inspect.isfunction(value) and (
                takes_predictions(value) or "loss" in name.lower()
            )
        if wanted:
            found.append(name)
    return found


def _check(job: dict[str, Any], module: ModuleType, emit: Emit) -> None:
    from dataclasses import asdict

    from src.checks.construct import recipe
    from src.checks.registry import checks_of
    from src.checks.run import results_of
    from src.errors import UserError

    if not hasattr(module, job["name"]):
        emit(event="mistake", text=f"{module.__name__} has no {job['name']}")
        return
    shape = tuple(job["input_shape"]) if job["input_shape"] else None
    try:
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
    emit(event="done")


def _first_line(error: BaseException) -> str:
    from src.checks.messages import one_line

    if isinstance(error, SystemExit):
        return f"it called sys.exit({error.code!r})"
    return one_line(error)


if __name__ == "__main__":
    main()
