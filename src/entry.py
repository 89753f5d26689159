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
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException, InstantiationException
from hydra.types import RunMode
from omegaconf.errors import OmegaConfBaseException

from src.errors import ErrorExit, UserError

HYDRA = Path(hydra.__file__).parent
USER_MISTAKE = 2
INTERRUPTED = 130
TERMINATED = 143
FULL_ERROR = "HYDRA_FULL_ERROR"
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What the system says when a file cannot be written to its end."""
STOPPED = "\nInterrupted."
GOES_ON = "\nInterrupted; the same command goes on where it was."
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


def guarded(main: Callable[[], Any], *, resumes: bool = False) -> int:
    """Runs a command.

    Args:
        main: the command; returns an exit status, or something else for 0.
        resumes: whether the same command goes on after Ctrl-C, which the user is told then.

    Returns:
        The exit status.
    """
    gc.freeze()  # what is imported stays; looking through it takes a tenth of a short command
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))  # runs every clean-up
    wants_traceback = FULL_ERROR in os.environ
    os.environ[FULL_ERROR] = "1"  # Hydra hands errors over, instead of printing them itself
    try:
        return _run(main, GOES_ON if resumes else STOPPED, wants_traceback=wants_traceback)
    finally:
        if not wants_traceback:
            os.environ.pop(FULL_ERROR, None)


def _run(main: Callable[[], Any], stopped: str, *, wants_traceback: bool) -> int:
    try:
        status = _unpacked(main)
    except KeyboardInterrupt:
        print(stopped, file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if was_interrupted(error) and not wants_traceback:
            print(stopped, file=sys.stderr)
            return INTERRUPTED
        no_room = _no_room(error)
        if wants_traceback or not (no_room or is_mistake(error)):
            raise
        print(f"Error: {no_room or message(error)}", file=sys.stderr)
        return USER_MISTAKE
    return status if isinstance(status, int) and not isinstance(status, bool) else 0


def _unpacked(main: Callable[[], Any]) -> Any:
    """Runs a command; raises the error that an exit carries."""
    try:
        return main()
    except ErrorExit as carrier:
        error = carrier.__cause__
        if isinstance(error, Exception):
            raise error from error.__cause__  # which may name the key
        raise


def convert_user_errors(job: Callable[[], float]) -> float:
    """Runs a job of Hydra, which prints a line of its own about an error that it sees.

    Args:
        job: gives the value that Hydra's sweepers look at.

    Raises:
        ErrorExit: in a single run, for a mistake of the user's; a sweep follows its jobs itself.
    """
    try:
        return job()
    except Exception as error:
        if HydraConfig.get().mode != RunMode.RUN or not is_mistake(error):
            raise
        raise ErrorExit(USER_MISTAKE) from error


def run_hydra(main: Callable[[], Any]) -> Any:
    """Runs Hydra's main, which says in a ValueError that flags do not go together.

    Raises:
        UserError: says the same, where nothing but Hydra was at work.
    """
    try:
        return main()
    except ValueError as error:
        frames = traceback.extract_tb(error.__traceback__)[1:]
        if all(Path(frame.filename).is_relative_to(HYDRA) for frame in frames):
            raise UserError(str(error)) from error
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

    What Hydra fails to instantiate is none: its cause may be anywhere.
    """
    said_of_words = isinstance(error, UserError | HydraException | OmegaConfBaseException)
    return said_of_words and not isinstance(error, InstantiationException)


def message(error: BaseException) -> str:
    """What to tell the user: the mistake, the key, and what would be right."""
    cause = error.__cause__
    for one in (error, cause):
        if isinstance(one, UserError):
            return str(one)
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
        keys = []
    wrong = keys and str(error.key) not in keys
    return f". Legal keys there: {', '.join(keys)}" if wrong else ""


def _no_room(error: Exception) -> str:
    """What to say of a full disk; empty for anything else."""
    if not isinstance(error, OSError) or error.errno not in NO_ROOM:
        return ""
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{os.strerror(error.errno)}. {MAKE_ROOM}"
