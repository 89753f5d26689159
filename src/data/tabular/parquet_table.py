"""Reads Parquet files, whose few bytes can stand for any number of cells."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager
from functools import partial
from typing import BinaryIO

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from src.data.errors import DataError, refuse_repeated, unreadable
from src.data.tabular.limits import MOST_COLUMNS, refuse_large, refuse_wide

LARGEST_ROW_GROUP = 4 * 2**30
"""Bytes, uncompressed, that are in memory at a time."""


class ParquetTable(AbstractContextManager["ParquetTable"]):
    """A Parquet file; counts rows.

    Text is kept as Arrow has it in the file, each different value once.

    Args:
        stream: the file; closed with the table.
        source: what it is called in errors.
    """

    def __init__(self, stream: BinaryIO, source: str) -> None:
        self.source = source
        errors = (pa.ArrowException, OSError, ValueError, TypeError, OverflowError)
        self._named = partial(unreadable, source, "a Parquet file", *errors)
        self.done = 0
        with self._named():
            # columns, or row groups, beyond the limit are refused before they are read
            first = pq.ParquetFile(stream, thrift_container_size_limit=2 * MOST_COLUMNS)
            self._check_schema(first.schema_arrow)
            self.names = list(first.schema_arrow.names)
            self._file = pq.ParquetFile(stream, metadata=first.metadata, read_dictionary=self.names)
        refuse_repeated(self.names, source)
        self.total = int(self._file.metadata.num_rows)

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
        self, size: int | None = None, as_text: Collection[str] = ()
    ) -> Iterator[pd.DataFrame]:
        """Tables."""
        groups = map(self._file.metadata.row_group, range(self._file.num_row_groups))
        if max((group.total_byte_size for group in groups), default=0) > LARGEST_ROW_GROUP:
            raise DataError(
                f"{self.source}: has a row group of more than {LARGEST_ROW_GROUP:,} bytes; write "
                "it with smaller ones (row_group_size)."
            )
        with self._named():
            whole = size is None or not self.total
            for part in [self._file.read()] if whole else self._file.iter_batches(size):
                part.validate(full=True)
                self.done += part.num_rows
                table = part if whole else pa.Table.from_batches([part])
                # The file's own pandas metadata could hide columns in an index.
                frame = table.to_pandas(ignore_metadata=True)
                text = frame.select_dtypes("category").columns
                yield frame.astype(dict.fromkeys(text, object))

    def refuse_larger(self, largest: int) -> None:
        """Raises `DataError` where there are more cells than `largest`."""
        refuse_large(self.total, len(self.names), largest, self.source)

    def read(self, largest: int) -> pd.DataFrame:
        """All rows."""
        self.refuse_larger(largest)
        (frame,) = self.chunks()
        return frame

    def __exit__(self, *error: object) -> None:
        self._file.close(force=True)
