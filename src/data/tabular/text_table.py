"""Reads CSV and TSV, and tells a row of names from a row of data."""

from __future__ import annotations

import logging
import os
import re
import warnings
from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any, BinaryIO

import pandas as pd
import pyarrow as pa

from src.data.errors import DataError, refuse_repeated, shortened, unreadable
from src.data.tabular.cells import unquoted

MISSING_MARKS = ["?"]
"""Beside what pandas takes for missing ("", NA, NaN, null, None, ...): UCI's own mark."""
DECIMAL = re.compile(r"\s*[-+]?(\d+\.\d*|\.\d+|\d+(\.\d*)?[eE][-+]?\d+)\s*")
ROWS_PROBED = 50
BYTES_PROBED = 65536

logger = logging.getLogger(__name__)


class TextTable(AbstractContextManager["TextTable"]):
    """A table as text; counts bytes. Cells that look like numbers become numbers.

    Args:
        stream: UTF-8 text that can go back to its start; closed with the table.
        source: what it is called in errors.
        header: whether the first row holds the columns' names.
        delimiter: one character between the cells.

    Attributes:
        first_row: its cells as text.

    Raises:
        DataError: for a text that is no table.
    """

    def __init__(self, stream: BinaryIO, source: str, *, header: bool, delimiter: str) -> None:
        self.source, self.header = source, header
        self._stream, self._delimiter = stream, delimiter
        self._open = ExitStack()
        self._open.callback(stream.close)
        self._names: list[str] | None = None
        self.total = stream.seek(0, os.SEEK_END)
        stream.seek(0)
        if b"\0" in stream.read(BYTES_PROBED):
            raise DataError(f"{source}: is no text file (it has zero bytes).")
        with self._named():
            as_text = {"dtype": str, "keep_default_na": False, "na_values": []}
            with self._parse(header=None, **as_text) as parsed:
                first = parsed.read(1)
        self.first_row = [unquoted(cell) for cell in first.iloc[0]]

    @property
    def names(self) -> list[str]:
        """Of the columns.

        Raises:
            DataError: where the first row repeats one.
        """
        if self._names is None:
            row = self.first_row if self.header else [""] * len(self.first_row)
            self._names = [cell or f"column_{i}" for i, cell in enumerate(row)]
            refuse_repeated(self._names, self.source)
        return self._names

    def rename(self, names: Sequence[str]) -> None:
        """Gives the columns other names, one for each."""
        self._names = list(names)

    @property
    def done(self) -> int:
        """Bytes read."""
        return self._stream.tell()

    def type_of(self, name: str) -> pa.DataType:
        """Text, as it is written."""
        return pa.string()

    def chunks(
        self, size: int | None = None, as_text: Collection[str] = ()
    ) -> Iterator[pd.DataFrame]:
        """Tables."""
        with self._named():
            parsed = self._parse(
                header=0 if self.header else None,
                names=self.names,
                dtype=dict.fromkeys({*as_text} & {*self.names}, str),
                na_values=MISSING_MARKS,
                chunksize=size,
            )
        self._open.enter_context(parsed)
        while True:
            with self._named():
                chunk = next(parsed, None)
            if chunk is None:
                return
            yield chunk

    def read(self, largest: int) -> pd.DataFrame:
        """All rows, the first one held against `header`."""
        if self.header:
            self._check_names()
        (frame,) = self.chunks()
        if not self.header:
            self._check_data(frame.head(ROWS_PROBED))
        if frame.empty:
            raise DataError(f"{self.source}: has no rows of data.")
        return frame

    def __exit__(self, *error: object) -> None:
        self._open.close()

    def _parse(self, **options: Any) -> Any:
        self._stream.seek(0)
        return pd.read_csv(
            self._stream,
            sep=self._delimiter,
            index_col=False,
            skipinitialspace=True,
            encoding="utf-8",
            compression=None,
            low_memory=False,
            iterator=True,
            **options,
        )

    def _check_names(self) -> None:
        """Refuses a first row of decimals; warns of a first column without a name."""
        decimals = [cell for cell in self.first_row if DECIMAL.fullmatch(cell)]
        if len(decimals) * 2 >= len(self.first_row):
            raise DataError(
                f"{self.source}: its first row looks like data, not like column names "
                f"({shortened(self.first_row, 4)}); set data.header=false."
            )
        if not self.first_row[0]:
            logger.warning(
                "%s: the first column has no name; if it is a row number, which can give the "
                "label away, leave it out with 'data.drop=[0]'",
                self.source,
            )

    def _check_data(self, head: pd.DataFrame) -> None:
        """Refuses a first row of words above columns of numbers."""
        for name in head.columns:
            column = head[name].dropna()
            numeric = pd.to_numeric(column, errors="coerce").notna()
            if len(column) < 3 or pd.isna(head[name].iloc[0]):
                continue
            if not numeric.iloc[0] and numeric.iloc[1:].all():
                raise DataError(
                    f"{self.source}: its first row looks like column names "
                    f"({column.iloc[0]!r} above numbers, {name}); set data.header=true."
                )

    @contextmanager
    def _named(self) -> Iterator[None]:
        """Pandas's complaints about a text as errors that name it."""
        known = unreadable(self.source, "a table", ValueError, OverflowError, OSError)
        with known, warnings.catch_warnings():
            # pandas only warns where it drops the cells of rows longer than the header.
            warnings.simplefilter("error", pd.errors.ParserWarning)
            try:
                yield
            except pd.errors.EmptyDataError as error:
                raise DataError(f"{self.source}: is an empty file.") from error
            except UnicodeDecodeError as error:
                raise DataError(f"{self.source}: is not UTF-8 text ({error}).") from error
            except pd.errors.ParserWarning as error:
                reason = "has rows with more cells than its first row"
                raise DataError(f"{self.source}: {reason}.") from error
