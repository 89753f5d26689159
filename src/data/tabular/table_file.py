"""Opens a table in CSV, TSV, Parquet or NPZ, for training and for prediction; trusts no file."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from src.data.errors import DataError, refuse_repeated
from src.data.tabular.npz_table import NpzTable
from src.data.tabular.text_table import TextTable

DELIMITERS = {".csv": ",", ".tsv": "\t", ".tab": "\t"}
SUFFIXES = (*DELIMITERS, ".parquet", ".npz")
LARGEST_TABLE = 500_000_000
"""Cells that fit in about 4 GiB; a compressed file can promise far more than it weighs."""


class TableFile(Protocol):
    """An open table, a context that closes it.

    Attributes:
        total: how much there is, in bytes or in rows.
    """

    total: int

    @property
    def names(self) -> list[str]:
        """Of its columns; `column_0`, `column_1`, ... where it has none."""

    def done(self) -> int:
        """How much of it was read."""

    def type_of(self, name: str) -> pa.DataType:
        """Arrow type of a column, as `chunks` gives it where it is among `as_text`."""

    def chunks(self, size: int | None = None, as_text: Collection[str] = ()) -> Iterator[Any]:
        """Its rows.

        Args:
            size: rows at a time; None gives all at once.
            as_text: columns that a text file gives as they are written.

        Yields:
            At least one table, or one array for an NPZ file.
        """

    def read(self, largest: int) -> pd.DataFrame:
        """All rows, the labels among them, checked as rows to train on.

        Args:
            largest: cells that it may have.
        """

    def __enter__(self) -> TableFile: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


def open_table(
    path: Path, given: str, *, header: bool = True, delimiter: str | None = None
) -> TableFile:
    """Opens a table; the file's suffix says what it is.

    Args:
        path: a file ending in .csv, .tsv, .tab, .parquet or .npz.
        given: how the user named it, such as `data.path='mine.csv'`; errors begin with it.
        header: whether the first row of a text file holds the columns' names.
        delimiter: one character between the cells of a text file; None takes it from the suffix.

    Raises:
        DataError: for a file that is missing, empty, of another kind or damaged.
    """
    suffix = path.suffix.lower()
    if path.is_dir():
        raise DataError(f"{given} is a folder; give one file in it.")
    if not path.is_file():
        raise DataError(f"{given} does not exist (looked from {Path.cwd()}).")
    if suffix not in SUFFIXES:
        raise DataError(
            f"{given} ends in {suffix or 'nothing'!r}; right are {', '.join(SUFFIXES)}."
        )
    try:
        if path.stat().st_size == 0:
            raise DataError(f"{path}: is an empty file.")
        stream = path.open("rb")
    except OSError as error:
        raise DataError(f"{given} cannot be read: {error.strerror}.") from error
    if suffix == ".npz":
        return NpzTable(stream, str(path))
    if suffix == ".parquet":
        return ParquetTable(stream, str(path))
    delimiter = delimiter or DELIMITERS[suffix]
    return TextTable(stream, str(path), header=header, delimiter=delimiter)


def read_table(path: Path, *, header: bool, delimiter: str | None = None) -> pd.DataFrame:
    """Reads every column of a table to train on.

    Args:
        path: a file ending in .csv, .tsv, .tab, .parquet or .npz.
        header: whether the first row of a text file holds the columns' names.
        delimiter: one character between the cells of a text file; None takes it from the suffix.

    Returns:
        The table. Columns without a name are `column_0`, `column_1`, ...; the columns of an NPZ
        file are those of `x` so named, and then `y`.

    Raises:
        DataError: for a file that is missing, empty, of another kind, damaged, or whose column
            names repeat.
    """
    given = f"data.path={str(path)!r}"
    with open_table(path, given, header=header, delimiter=delimiter) as file:
        return file.read(LARGEST_TABLE)


class ParquetTable:
    """A Parquet file; counts rows.

    Args:
        stream: the file.
        source: what it is called in errors.
    """

    def __init__(self, stream: Any, source: str) -> None:
        self._source = source
        self._done = 0
        with self._errors_named():
            self._file = pq.ParquetFile(stream)
        self.names = list(self._file.schema_arrow.names)
        refuse_repeated(self.names, source)
        self.total = int(self._file.metadata.num_rows)

    def done(self) -> int:
        """Rows read."""
        return self._done

    def type_of(self, name: str) -> pa.DataType:
        """As in the file."""
        found = self._file.schema_arrow.field(name).type
        return found.value_type if pa.types.is_dictionary(found) else found

    def chunks(
        self, size: int | None = None, as_text: Collection[str] = ()
    ) -> Iterator[pd.DataFrame]:
        """Tables."""
        with self._errors_named():
            whole = size is None or not self.total
            for part in [self._file.read()] if whole else self._file.iter_batches(size):
                part.validate(full=True)
                self._done += part.num_rows
                table = part if whole else pa.Table.from_batches([part])
                # The file's own pandas metadata could hide columns in an index.
                yield table.to_pandas(ignore_metadata=True)

    def read(self, largest: int) -> pd.DataFrame:
        """All rows."""
        if self.total * len(self.names) > largest:
            raise DataError(
                f"{self._source}: {self.total} rows of {len(self.names)} columns are more than "
                f"the {largest:,} cells that fit."
            )
        (frame,) = self.chunks()
        return frame

    def __enter__(self) -> ParquetTable:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close(force=True)

    @contextmanager
    def _errors_named(self) -> Iterator[None]:
        try:
            yield
        except (pa.ArrowException, OSError, ValueError, TypeError, OverflowError) as error:
            first = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise DataError(f"{self._source}: cannot be read as a Parquet file: {first}") from error
