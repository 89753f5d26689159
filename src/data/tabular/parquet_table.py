"""Reads Parquet files."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager
from functools import partial
from typing import BinaryIO

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from src.data.errors import DataError, refuse_repeated, unreadable


class ParquetTable(AbstractContextManager["ParquetTable"]):
    """A Parquet file; counts rows.

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
            self._file = pq.ParquetFile(stream)
        self.names = list(self._file.schema_arrow.names)
        refuse_repeated(self.names, source)
        self.total = int(self._file.metadata.num_rows)

    def type_of(self, name: str) -> pa.DataType:
        """As in the file."""
        found = self._file.schema_arrow.field(name).type
        return found.value_type if pa.types.is_dictionary(found) else found

    def chunks(
        self, size: int | None = None, as_text: Collection[str] = ()
    ) -> Iterator[pd.DataFrame]:
        """Tables."""
        with self._named():
            whole = size is None or not self.total
            for part in [self._file.read()] if whole else self._file.iter_batches(size):
                part.validate(full=True)
                self.done += part.num_rows
                table = part if whole else pa.Table.from_batches([part])
                # The file's own pandas metadata could hide columns in an index.
                yield table.to_pandas(ignore_metadata=True)

    def read(self, largest: int) -> pd.DataFrame:
        """All rows."""
        if self.total * len(self.names) > largest:
            raise DataError(
                f"{self.source}: {self.total} rows of {len(self.names)} columns are more than "
                f"the {largest:,} cells that fit."
            )
        (frame,) = self.chunks()
        return frame

    def __exit__(self, *error: object) -> None:
        self._file.close(force=True)
