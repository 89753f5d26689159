"""How every command starts and ends: quiet libraries, one message for a mistake, an exit status.

Exit status: 0 done, 1 a failure inside the program (with its traceback) or a verdict that was asked
to decide, 2 a mistake that the user can mend, 130 interrupted, 143 terminated.
"""

import errno
import gc
import os
import re
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException, InstantiationException
from hydra.types import RunMode
from omegaconf.errors import OmegaConfBaseException

from src.errors import (
    ErrorExit,
    UserError,
    close_match,
    first_line,
    is_store_failure,
    override,
    user_error_behind,
)

HYDRA = Path(hydra.__file__).parent
USER_MISTAKE = 2
INTERRUPTED = 130
TERMINATED = 143
FULL_ERROR = "HYDRA_FULL_ERROR"
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What the system says when a file cannot be written to its end."""
SEVERAL = re.compile("Ambiguous value for argument '(.+)'")
"""How Hydra's error begins where values are listed without -m."""
OTHER_PLACE = (
    "Choose a place that can be written; a training's are hydra.run.dir, or hydra.sweep.dir with "
    "-m, and tracking.root"
)
STORE_FAILED = (
    "Results on disk are whole; when the store is back, the same command goes on. "
    "tracking=none goes without, HYDRA_FULL_ERROR=1 shows the traceback"
)
STOPPED = "\nInterrupted."
GOES_ON = "\nInterrupted; the same command goes on where it was."
MAKE_ROOM = "Make room, then type the same command: it goes on after the last epoch that was saved"

QUIET = {
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_FORCE_GPU_ALLOW_GROWTH": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
    "GIT_PYTHON_REFRESH": "quiet",
}
"""Set where the user has not. A GPU's memory is taken as it is needed, not all at the start."""


def guarded(main: Callable[[], Any], *, resumes: bool = False) -> int:
    """Runs a command, which may return an exit status; gives the exit status.

    With RESUMES the user is told after Ctrl-C that the same command goes on.
    """
    gc.freeze()  # what is imported stays; looking through it takes a tenth of a short command
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))  # runs every clean-up
    wants_traceback = os.environ.get(FULL_ERROR) == "1"
    with environment({FULL_ERROR: "1"}):  # Hydra raises errors, instead of printing them itself
        return _run(main, GOES_ON if resumes else STOPPED, wants_traceback=wants_traceback)


@contextmanager
def environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Sets environment variables, which have their values of before in the end."""
    before = {name: os.environ.pop(name, None) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


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
        if wants_traceback or not is_mistake(error):
            raise
        print(f"Error: {message(error)}", file=sys.stderr)
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
    """Whether an error is the user's to mend, or the machine's, and no fault of the program.

    What Hydra fails to instantiate is none of itself: its cause may be anywhere.
    """
    said_of_words = isinstance(error, HydraException | OmegaConfBaseException)
    of_words = said_of_words and not isinstance(error, InstantiationException)
    return of_words or user_error_behind(error) is not None or bool(_outside(error))


def message(error: BaseException) -> str:
    """What to tell the user: the mistake, the key, and what would be right."""
    said = user_error_behind(error)
    if said is not None:
        return str(said)
    cause = error.__cause__
    if isinstance(cause, OmegaConfBaseException) and cause.full_key:
        reason = (cause.msg or str(cause)).splitlines()[0]
        if reason.endswith("is not a ListConfig, list or tuple."):
            reason = f"must be a list, such as {override(cause.full_key, [cause.value])}"
        return f"{cause.full_key}: {reason}{_legal_keys(cause)}"
    if isinstance(error, HydraException):
        return f"{error}{_how_to_quote(error)}"
    return _outside(error) or str(error)


def _how_to_quote(error: HydraException) -> str:
    """How to type a value that Hydra's grammar does not take for a text; empty for other errors."""
    several = SEVERAL.match(str(error))
    word = several[1] if several else getattr(error, "override", "")
    key, equals, value = word.partition("=")
    if equals:
        return f"\nAs a text, with quotes for Hydra and for the shell: {override(key, value)}"
    before = sys.argv[sys.argv.index(word) - 1] if word in sys.argv[2:] else ""
    key, equals, value = before.partition("=")
    if equals:
        return f"\nAs the end of the word before it: {override(key, f'{value} {word}')}"
    return ""


def _legal_keys(error: OmegaConfBaseException) -> str:
    """The keys beside a wrong one, and the nearest of them."""
    node: Any = error.parent_node
    try:
        keys = [str(key) for key in node]
    except (TypeError, OmegaConfBaseException):
        keys = []
    if not keys or str(error.key) in keys:
        return ""
    near = close_match(str(error.key), keys)
    return f". Legal keys there: {', '.join(keys)}{near and '.'}{near}"


def _outside(error: BaseException) -> str:
    """What to say of a failure outside the program: the file system's, or the tracking store's."""
    if isinstance(error, OSError) and error.errno in NO_ROOM:
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{os.strerror(error.errno)}. {MAKE_ROOM}"
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}. {OTHER_PLACE}"
    return f"tracking store: {first_line(error)}. {STORE_FAILED}" if is_store_failure(error) else ""
