"""What the user can mend: the exception, shown as a message, and the words that mend it."""

import difflib
import re
import shlex
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

PLAIN = re.compile(r"(?!(?:null|true|false|nan|inf)$)[a-z][a-z0-9_./-]*", re.ASCII | re.IGNORECASE)
"""Text that Hydra reads as it stands."""
AT_FLUSH = "(raised as a result of Query-invoked autoflush"
"""How SQLAlchemy begins to say when it wrote, before it says what was wrong."""
LONGEST_REASON = 300
STORE_LIBRARIES = ("mlflow", "sqlalchemy", "alembic", "sqlite3")


class UserError(Exception):
    """A mistake in a command, a config or a data file.

    The message names the value, the place it came from (the config key or the file) and what
    would be right. Entry points print it alone and exit with status 2.
    """


class ErrorExit(SystemExit):
    """Carries an error, its cause, past Hydra, which would announce it, or make it a warning."""


class TrainingDivergedError(UserError):
    """A loss, a weight or a prediction became NaN or infinite, so the run has no result."""


def user_error_behind(error: BaseException) -> UserError | None:
    """The first mistake of the user in a chain of causes: what a target raises, Hydra wraps."""
    seen: list[BaseException] = []  # one that is handed over may be its own cause's cause
    found: BaseException | None = error
    while found is not None and found not in seen:
        if isinstance(found, UserError):
            return found
        seen.append(found)
        found = found.__cause__
    return None


@contextmanager
def naming(file: object, problem: str) -> Iterator[None]:
    """Whatever is wrong with a file becomes a `UserError` that names it, in one line.

    Args:
        file: its path.
        problem: what cannot be done with it, before the reason.
    """
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:LONGEST_REASON]
        raise UserError(f"{file}: {problem}: {reason}") from error


def first_line(error: BaseException) -> str:
    """The first line of an error, which for a database's is without statement and parameters."""
    lines = [line for line in str(error).strip().splitlines() if not line.startswith(AT_FLUSH)]
    return (lines or [type(error).__name__])[0].partition(" failed with exception")[0]


def is_store_failure(error: BaseException) -> bool:
    """Whether the database or the server behind the tracking store failed."""
    return type(error).__module__.partition(".")[0] in STORE_LIBRARIES


def override(key: str, value: Any) -> str:
    """A word that sets a key, quoted for Hydra's grammar and for a shell: it can be pasted.

    The value is a text, a number, None, or a list of these.
    """
    return shlex.quote(f"{key}={_in_grammar(value)}")


def close_match(wanted: str, available: Iterable[str]) -> str:
    """The end of an error: ``" Did you mean 'NAME'?"``, or nothing where no name comes close."""
    found = difflib.get_close_matches(wanted, list(available), n=1)
    return f" Did you mean {found[0]!r}?" if found else ""


def words(values: Iterable[str]) -> str:
    """Values to choose from, each as a shell takes it for one word."""
    return ", ".join(map(shlex.quote, values))


def _in_grammar(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"[{','.join(map(_in_grammar, value))}]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if not isinstance(value, str):
        return repr(value)
    if PLAIN.fullmatch(value):
        return value
    text = re.sub(r"(\\*)\$\{", lambda found: found[1] * 2 + r"\${", value)  # no interpolation
    text = re.sub(r'(\\*)("|\Z)', lambda found: found[1] * 2 + (found[2] and r"\""), text)
    return f'"{text}"'
