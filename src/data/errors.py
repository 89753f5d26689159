"""The exception for every mistake in a data file or in a key under `data`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from src.errors import UserError, first_line


class DataError(UserError):
    """A data file or a `data.*` key that cannot be used; the message says what would be right."""


class TooLargeError(DataError):
    """A table with more rows, columns or cells than can be used."""


class CellError(DataError):
    """A cell of a table, or a whole row, that cannot be used.

    Attributes:
        row: counted from 0.
        column: its name; None for a whole row.
        reason: what is wrong.
    """

    def __init__(self, row: int, column: str | None, reason: str) -> None:
        where = f"row {row + 1}" if column is None else f"row {row + 1}, column {column!r}"
        super().__init__(f"{where}: {reason}")
        self.row, self.column, self.reason = row, column, reason


def shortened(names: Iterable[str], limit: int = 20) -> str:
    """Names in one line, quoted, at most `limit`; the middle of a longer list is left out."""
    listed = [repr(name) for name in names]
    if len(listed) > limit:
        left_out = len(listed) - limit
        listed = [*listed[: limit - 1], f"... {left_out} more ...", listed[-1]]
    return ", ".join(listed)


def refuse_repeated(names: Sequence[str], source: str, hint: str = "") -> None:
    """Raises `DataError`, which ends in `hint`, where the names of columns are not unique."""
    repeated = sorted(name for name, count in Counter(names).items() if count > 1)
    if repeated:
        raise DataError(f"{source}: column names repeat: {shortened(repeated)}{hint}.")


@contextmanager
def unreadable(source: str, kind: str, *errors: type[Exception]) -> Iterator[None]:
    """Turns what a library raises for a damaged file into a `DataError` that names the file.

    Args:
        source: the file.
        kind: what it should be, such as `a table`.
        errors: that the library raises.
    """
    try:
        yield
    except DataError:
        raise
    except errors as error:
        reason = first_line(error).removeprefix("Error tokenizing data. C error: ").rstrip(".")
        raise DataError(f"{source}: cannot be read as {kind}: {reason}.") from error
