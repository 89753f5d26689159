"""How every command starts and ends: quiet libraries, one message for a mistake, an exit status.

Exit status: 0 done, 1 a failure inside the program (with its traceback) or a verdict that was asked
to decide, 2 a mistake that the user can mend, 130 interrupted, 143 terminated.
"""

import errno
import gc
import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import hydra
from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException

from src.errors import UserError

HYDRA = Path(hydra.__file__).parent
USER_MISTAKE = 2
INTERRUPTED = 130
TERMINATED = 143
FULL_ERROR = "HYDRA_FULL_ERROR"
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What the system says when a file cannot be written to its end."""
STOPPED = "\nInterrupted; the same command goes on where it was."
MAKE_ROOM = "Make room, then type the same command: it goes on after the last epoch that was saved"

QUIET = {
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
    "GIT_PYTHON_REFRESH": "quiet",
}
"""Set where the user has not. oneDNN's choice of kernels would change results between machines."""


class HandedOver(SystemExit):
    """Carries a user's mistake, its cause, past Hydra, which would announce it once more."""


def guarded(main: Callable[[], Any]) -> int:
    """Runs a command.

    Args:
        main: the command; returns an exit status, or something else for 0.

    Returns:
        The exit status.
    """
    gc.freeze()  # what is imported stays; looking through it takes a tenth of a short command
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    signal.signal(signal.SIGTERM, _terminate)
    wants_traceback = FULL_ERROR in os.environ
    os.environ[FULL_ERROR] = "1"  # Hydra hands errors over, instead of printing them itself
    try:
        return _run(main, wants_traceback=wants_traceback)
    finally:
        if not wants_traceback:
            os.environ.pop(FULL_ERROR, None)


def _run(main: Callable[[], Any], *, wants_traceback: bool) -> int:
    try:
        status = _unpacked(main)
    except KeyboardInterrupt:
        print(STOPPED, file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if was_interrupted(error) and not wants_traceback:
            print(STOPPED, file=sys.stderr)
            return INTERRUPTED
        no_room = _no_room(error)
        if wants_traceback or not (no_room or is_mistake(error)):
            raise
        print(f"Error: {no_room or message(error)}", file=sys.stderr)
        return USER_MISTAKE
    return status if isinstance(status, int) and not isinstance(status, bool) else 0


def _unpacked(main: Callable[[], Any]) -> Any:
    """Runs a command; what was handed over is raised as what it was."""
    try:
        return main()
    except HandedOver as handed:
        mistake = handed.__cause__
        if isinstance(mistake, Exception):
            raise mistake from mistake.__cause__  # which may name the key
        raise


def was_interrupted(error: BaseException) -> bool:
    """Whether an error came up while Ctrl-C was on its way out: a library's, half done."""
    seen: list[BaseException] = []  # one that is handed over is its own cause's context
    found: BaseException | None = error
    while found is not None and found not in seen:
        if isinstance(found, KeyboardInterrupt):
            return True
        seen.append(found)
        found = found.__cause__ or found.__context__
    return False


def is_mistake(error: BaseException) -> bool:
    """Whether an error is the user's to mend, and no failure inside the program.

    Hydra says some things about the command line in exceptions of Python's own.
    """
    if isinstance(error, UserError | HydraException | OmegaConfBaseException):
        return True
    frames = traceback.extract_tb(error.__traceback__)
    return bool(frames) and Path(frames[-1].filename).is_relative_to(HYDRA)


def message(error: BaseException) -> str:
    """What to tell the user: the mistake, the key, and what would be right."""
    if isinstance(error, UserError):
        return str(error)
    cause = error.__cause__
    if isinstance(cause, UserError):
        return str(cause)
    if isinstance(cause, OmegaConfBaseException) and cause.full_key:
        reason = (cause.msg or str(cause)).splitlines()[0]
        return f"{cause.full_key}: {reason}{_legal_keys(cause)}"
    return str(error)


def _legal_keys(error: OmegaConfBaseException) -> str:
    """The keys beside a wrong one."""
    node: Any = error.parent_node
    try:
        keys = [str(key) for key in node]
    except (TypeError, OmegaConfBaseException):
        return ""
    if not keys or str(error.key) in keys:
        return ""
    return f". Legal keys there: {', '.join(keys)}"


def _no_room(error: Exception) -> str:
    """What to say of a full disk; empty for anything else."""
    if not isinstance(error, OSError) or error.errno not in NO_ROOM:
        return ""
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{os.strerror(error.errno)}. {MAKE_ROOM}"


def _terminate(number: int, frame: FrameType | None) -> None:
    """Turns SIGTERM into an exit that runs every clean-up."""
    raise SystemExit(TERMINATED)
