"""Reads Parquet files, in which a few bytes can stand for any number of cells."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import BinaryIO

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from src.data.errors import DataError, TooLargeError, refuse_repeated, unreadable
from src.data.tabular.limits import LARGEST_PART, MOST_COLUMNS, refuse_large, refuse_wide

LARGEST_ROW_GROUP = 4 * 2**30
"""Bytes, uncompressed, that are in memory at a time."""
LARGEST_MEAN = 1024
"""Bytes of a cell, on average, in a row group above `LARGEST_PART`."""


class ParquetTable(AbstractContextManager["ParquetTable"]):
    """A Parquet file; see `TableFile`. Text stays encoded, each different value once.

    Args:
        stream: the file; closed with the table.
        source: its name in errors.
    """

    def __init__(self, stream: BinaryIO, source: str) -> None:
        self.source = source
        errors = (pa.ArrowException, OSError, ValueError, TypeError, OverflowError)
        self._named = partial(unreadable, source, "a Parquet file", *errors)
        self.done = 0
        with self._named():
            # more columns or row groups than the limit are refused before they are read
            first = self._open(stream)
            self._check_schema(first.schema_arrow)
            self.names = list(first.schema_arrow.names)
            self._file = pq.ParquetFile(stream, metadata=first.metadata, read_dictionary=self.names)
        refuse_repeated(self.names, source)
        self.total = int(self._file.metadata.num_rows)

    def _open(self, stream: BinaryIO) -> pq.ParquetFile:
        try:
            return pq.ParquetFile(stream, thrift_container_size_limit=2 * MOST_COLUMNS)
        except OSError as error:
            if "size limit" not in str(error):
                raise
            raise TooLargeError(
                f"{self.source}: has more columns or row groups than can be used; "
                f"{MOST_COLUMNS:,} are the most."
            ) from error

    def _check_schema(self, schema: pa.Schema) -> None:
        refuse_wide(len(schema), self.source)
        for field in schema:
            kind = field.type
            kind = kind.storage_type if isinstance(kind, pa.BaseExtensionType) else kind
            text = kind.value_type if pa.types.is_dictionary(kind) else kind
            if pa.types.is_nested(text) or "binary" in str(text):
                raise DataError(
                    f"{self.source}: column {field.name!r} holds {field.type}; right are numbers, "
                    "text and true or false."
                )

    def type_of(self, name: str) -> pa.DataType:
        """As in the file."""
        found = self._file.schema_arrow.field(name).type
        return found.value_type if pa.types.is_dictionary(found) else found

    def chunks(
        self,
        size: int | None = None,
        as_text: Collection[str] = (),
        columns: Sequence[str] | None = None,
    ) -> Iterator[pd.DataFrame]:
        """Tables, of some columns where these are given."""
        for decoded, cells in self._groups():
            most = max(LARGEST_PART, min(LARGEST_ROW_GROUP, LARGEST_MEAN * cells))
            if decoded > most:
                raise TooLargeError(
                    f"{self.source}: a row group of {cells:,} cells takes {decoded:,} bytes; write "
                    "smaller ones (row_group_size), without cells that are no table's."
                )
        with self._named():
            if size is None or not self.total:
                # "a" names a column "a.b", too, so what is read is selected once more
                tables = iter([self._file.read(columns).select(columns or self.names)])
            else:
                tables = (pa.Table.from_batches([part]) for part in self._file.iter_batches(size))
            for table in tables:
                table.validate(full=True)
                self.done += table.num_rows
                # The file's own pandas metadata could hide columns in an index.
                frame = table.to_pandas(ignore_metadata=True, split_blocks=True)
                text = frame.select_dtypes("category").columns
                yield frame.astype(dict.fromkeys(text, object))

    def read(
        self, largest: int, decoded: int | None = None, columns: Sequence[str] | None = None
    ) -> pd.DataFrame:
        """All rows.

        Args:
            largest: most cells.
            decoded: most bytes of the decoded file; None for eight per cell.
            columns: those that are wanted; None for all.
        """
        refuse_large(self.total, len(columns or self.names), largest, self.source)
        most = decoded or 8 * largest
        if sum(size for size, _ in self._groups()) > most:
            raise TooLargeError(f"{self.source}: takes more than {most:,} bytes.")
        (frame,) = self.chunks(columns=columns)
        return frame

    def _groups(self) -> Iterator[tuple[int, int]]:
        """Uncompressed bytes and cells of each group of rows."""
        for i in range(self._file.num_row_groups):
            group = self._file.metadata.row_group(i)
            yield group.total_byte_size, group.num_rows * group.num_columns

    def __exit__(self, *error: object) -> None:
        self._file.close(force=True)
