"""The process in which code of others runs, a fork of one that has TensorFlow.

A job's code has a process of its own, with nothing to read, its output in one file and its events
in another: what it breaks, it breaks for itself. Its parent, `supervise`, ends it when its time is
over, and all that it leaves behind.
"""

import contextlib
import ctypes
import importlib
import importlib.util
import inspect
import json
import os
import resource
import signal
import sys
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

from src.checks.language import mistake, speaking
from src.checks.messages import one_line
from src.errors import UserError

LARGEST_FILE = 256 * 1024 * 1024  # of output, or of a saved model
EVENTS, OUTPUT = "events.jsonl", "output.txt"
PR_SET_CHILD_SUBREAPER = 36
Emit = Callable[..., None]


def supervise(folder: str, timeout: float, language: str, job: dict[str, Any]) -> None:
    """Runs a job in a fork of this process, and waits for its end.

    Args:
        folder: for its events and its output.
        timeout: seconds after which it is ended.
        language: of what is said.
        job: the arguments of `_do`.
    """
    emit = partial(_emit, Path(folder, EVENTS))
    os.setsid()  # Ctrl-C in the terminal reaches the command alone
    with contextlib.suppress(AttributeError):  # Linux alone: orphans become this process's children
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    process = os.fork()
    if process == 0:
        _work(emit, folder, language, job)
    with contextlib.suppress(OSError):  # it has done so itself
        os.setpgid(process, process)
    for number in (signal.SIGALRM, signal.SIGTERM):
        signal.signal(number, _stop)
    signal.setitimer(signal.ITIMER_REAL, timeout)
    late = False
    try:
        status = os.waitpid(process, 0)[1]
    except TimeoutError:
        late = True
        end_group(process)
        status = os.waitpid(process, 0)[1]
    signal.setitimer(signal.ITIMER_REAL, 0)
    end_group(process)
    while left := _children():
        for orphan in left:
            with contextlib.suppress(ProcessLookupError, ChildProcessError):
                os.kill(orphan, signal.SIGKILL)
                os.waitpid(orphan, 0)
    emit("ended", status=os.waitstatus_to_exitcode(status), late=late)


def _stop(*_: object) -> NoReturn:
    raise TimeoutError


def end_group(process: int) -> None:
    """Ends a process and all that it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process, signal.SIGKILL)


def _children() -> list[int]:
    """Processes whose parent is this one; none where there is no /proc."""
    found = []
    for file in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has just ended
            if int(file.read_text("utf-8").rpartition(")")[2].split()[1]) == os.getpid():
                found.append(int(file.parent.name))
    return found


def _work(emit: Emit, folder: str, language: str, job: dict[str, Any]) -> NoReturn:
    """One job, in its fork; the fork ends here, whatever the component left running in it."""
    try:
        os.setpgid(0, 0)
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))  # whatever libraries hold
        read = os.open(os.devnull, os.O_RDONLY)
        write = os.open(f"{folder}/{OUTPUT}", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        for target, source in ((0, read), (1, write), (2, write)):
            os.dup2(source, target)
        resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_FILE, LARGEST_FILE))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        emit("began", process=os.getpid())
        with speaking(language):
            _do(emit, **job)
    except BaseException as error:
        emit("broken", text=one_line(error))
        os._exit(70)
    os._exit(0)


def _emit(file: Path, event: str, **content: Any) -> None:
    with file.open("a") as stream:
        stream.write(json.dumps({"event": event, **content}) + "\n")


def _do(
    emit: Emit,
    *,
    name: str | None = None,
    file: str | None = None,
    module: str | None = None,
    kind: str | None = None,
    arguments: dict[str, Any] | None = None,
    input_shape: tuple[int, ...] | None = None,
) -> None:
    """Checks the component of that name; without a name, lists the components."""
    import keras

    from src.checks.construct import recipe
    from src.checks.registry import checks_of
    from src.checks.run import results_of

    keras.utils.set_random_seed(0)
    try:
        found = _module(file, module)
        if name is None:
            emit("listed", components=components_of(found))
            return
        if not hasattr(found, name):
            raise mistake("{} has no {}", found.__name__, name)
        made = recipe(getattr(found, name), kind, arguments, name, input_shape)
    except UserError as error:
        emit("mistake", text=str(error))
        return
    except BaseException as error:
        emit("import_failed", text=one_line(error))
        return
    checks = checks_of(made.kind)
    fields = ("name", "why", "mend", "example")
    listed = [{field: getattr(check, field) for field in fields} for check in checks]
    emit("component", kind=made.kind, made_with=made.guessed, checks=listed)
    for result in results_of(made, checks, lambda check: emit("start", check=check.name)):
        emit("result", result=asdict(result))


def _module(path: str | None, module: str | None) -> ModuleType:
    sys.path.insert(0, str(Path.cwd()))
    if path is None:
        return importlib.import_module(module or "")
    file = Path(path)
    sys.path.insert(0, str(file.parent))
    name = f"checked_{file.stem}" if file.stem.isidentifier() else "checked_file"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} is no Python file")
    found = importlib.util.module_from_spec(spec)
    sys.modules[name] = found
    spec.loader.exec_module(found)
    return found


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
