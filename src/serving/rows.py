"""Opens a file of new rows and hands them over in chunks: CSV, TSV, Parquet or NPZ."""

import zipfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.lib import format as npy

from src.data.errors import DataError, shortened
from src.data.tabular.table_file import DELIMITERS, SUFFIXES
from src.saved_model.facts import ServingFacts
from src.saved_model.text_rows import text_chunks

CHUNK = 16_384
"""Rows in memory at a time."""
NUMBERS = "fiub"


class Rows(Protocol):
    """A file of rows, open.

    Attributes:
        total: how much there is, in bytes or in rows.
    """

    total: int

    def done(self) -> int:
        """How much of it was read."""

    def type_of(self, name: str) -> pa.DataType:
        """Arrow type of a column."""

    def __iter__(self) -> Iterator[Any]:
        """Tables with named columns, or arrays."""


@dataclass(frozen=True)
class Reading:
    """How a file is to be read.

    Attributes:
        facts: of the model.
        header: whether the first row of a text file holds names.
        delimiter: one character between the cells of a text file; None takes it from the suffix.
        as_text: columns that a text file gives as they are written.
    """

    facts: ServingFacts
    header: bool
    delimiter: str | None
    as_text: Collection[str] = ()


def open_rows(path: Path, reading: Reading) -> Rows:
    """Opens a file.

    Args:
        path: ends in .csv, .tsv, .tab, .parquet or .npz.
        reading: how.

    Raises:
        DataError: where it is missing, of another kind, or damaged.
    """
    suffix = path.suffix.lower()
    if path.is_dir():
        raise DataError(f"{path}: is a folder; give one file in it")
    if not path.is_file():
        raise DataError(f"{path}: does not exist (looked from {Path.cwd()})")
    if suffix not in SUFFIXES:
        raise DataError(f"{path}: ends in {suffix or 'nothing'!r}; right are {', '.join(SUFFIXES)}")
    try:
        if suffix == ".parquet":
            return ParquetRows(path)
        if suffix == ".npz":
            return NpzRows(path, reading.facts)
        return TextRows(path, reading)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from error


class TextRows:
    """CSV or TSV; counts bytes."""

    def __init__(self, path: Path, reading: Reading) -> None:
        self._path, self._reading = path, reading
        self._stream: BinaryIO = path.open("rb")
        self.total = path.stat().st_size

    def done(self) -> int:
        """Bytes read."""
        return self.total if self._stream.closed else self._stream.tell()

    def type_of(self, name: str) -> pa.DataType:
        """Text, as it is written."""
        return pa.string()

    def __iter__(self) -> Iterator[pd.DataFrame]:
        """Tables."""
        reading = self._reading
        with self._stream:
            yield from text_chunks(
                self._stream,
                str(self._path),
                reading.facts,
                header=reading.header,
                delimiter=reading.delimiter or DELIMITERS[self._path.suffix.lower()],
                size=CHUNK,
                as_text=reading.as_text,
            )


class ParquetRows:
    """Parquet; counts rows."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._file = pq.ParquetFile(path)
        except (pa.ArrowException, ValueError) as error:
            raise DataError(f"{path}: cannot be read as a Parquet file: {error}") from error
        names = self._file.schema_arrow.names
        repeated = sorted({name for name in names if names.count(name) > 1})
        if repeated:
            raise DataError(f"{path}: column names repeat: {shortened(repeated)}.")
        self.total = self._file.metadata.num_rows
        self._done = 0

    def done(self) -> int:
        """Rows read."""
        return self._done

    def type_of(self, name: str) -> pa.DataType:
        """As in the file."""
        found = self._file.schema_arrow.field(name).type
        return found.value_type if pa.types.is_dictionary(found) else found

    def __iter__(self) -> Iterator[pd.DataFrame]:
        """Tables."""
        try:
            with self._file:
                if not self.total:
                    yield self._file.read().to_pandas(ignore_metadata=True)
                for batch in self._file.iter_batches(CHUNK):
                    self._done += batch.num_rows
                    table = pa.Table.from_batches([batch])
                    # The file's own pandas metadata could hide columns in an index.
                    yield table.to_pandas(ignore_metadata=True)
        except (pa.ArrowException, OSError, ValueError) as error:
            first = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise DataError(f"{self._path}: cannot be read as a Parquet file: {first}") from error


class NpzRows:
    """The array `x` of an NPZ file, read as a stream and never unpickled; counts rows.

    Two-dimensional ones come as tables with the columns `column_0`, ... where the model was trained
    on a table.
    """

    def __init__(self, path: Path, facts: ServingFacts) -> None:
        self._path, self._facts = path, facts
        try:
            self._archive = zipfile.ZipFile(path)
            self._stream = self._archive.open("x.npy")
            version = npy.read_magic(self._stream)
            read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
            self._shape, fortran, self._dtype = read(self._stream)
        except KeyError as error:
            raise DataError(
                f"{path}: needs an array 'x', as np.savez(path, x=x) writes it"
            ) from error
        except Exception as error:  # a damaged archive makes zipfile and NumPy raise anything
            raise DataError(f"{path}: cannot be read as an NPZ file: {error}") from error
        if self._dtype.kind not in NUMBERS or len(self._shape) < 2 or fortran:
            order = " in Fortran order" if fortran else ""
            raise DataError(
                f"{path}: 'x' has shape {self._shape} and dtype {self._dtype}{order}; right are "
                "numbers, one row an example, in C order"
            )
        if facts.table is None and self._shape[1:] != facts.input_shape:
            raise DataError(
                f"{path}: 'x' has rows of shape {self._shape[1:]}; the model takes "
                f"{facts.input_shape}"
            )
        self.total = self._shape[0]
        self._done = 0

    def done(self) -> int:
        """Rows read."""
        return self._done

    def type_of(self, name: str) -> pa.DataType:
        """That of `x`."""
        return pa.from_numpy_dtype(self._dtype)

    def __iter__(self) -> Iterator[Any]:
        """Arrays, or tables where the model was trained on a table."""
        width = int(np.prod(self._shape[1:])) * self._dtype.itemsize
        with self._archive, self._stream:
            while self._done < self.total or not self.total:
                size = min(CHUNK, self.total - self._done)
                yield self._named(self._read(size, width))
                self._done += size
                if not self.total:
                    return

    def _read(self, rows: int, width: int) -> Any:
        try:
            held = self._stream.read(rows * width)
        except Exception as error:  # zipfile and zlib say it in many ways
            raise DataError(f"{self._path}: is damaged: {error}") from error
        if len(held) != rows * width:
            raise DataError(f"{self._path}: 'x' promises {self.total} rows and ends before")
        return np.frombuffer(held, self._dtype).reshape(rows, *self._shape[1:])

    def _named(self, rows: Any) -> Any:
        if self._facts.table is None:
            return rows
        if rows.ndim != 2:
            raise DataError(f"{self._path}: 'x' has shape {self._shape}; right is (rows, columns)")
        rows = rows.astype(np.uint8) if rows.dtype.kind == "b" else rows
        rows = rows.astype(np.float32) if rows.dtype == np.float16 else rows
        return pd.DataFrame(rows, columns=[f"column_{i}" for i in range(rows.shape[1])])
