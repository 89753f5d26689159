"""Reads CSV and TSV, and tells a row of names from a row of data."""

from __future__ import annotations

import codecs
import csv
import io
import os
import re
import warnings
from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from itertools import islice
from typing import BinaryIO

import pandas as pd
import pyarrow as pa

from src.data.errors import DataError, refuse_repeated, shortened, unreadable
from src.data.tabular.cells import unquoted
from src.data.tabular.limits import LARGEST_PART, BoundedStream, refuse_large, refuse_wide
from src.data.tabular.text_format import TextFormat

DECIMAL = re.compile(r"\s*[-+]?(\d+\.\d*|\.\d+|\d+(\.\d*)?[eE][-+]?\d+)\s*")
NUMBER = re.compile(rf"{DECIMAL.pattern}|\s*[-+]?\d+\s*")
SEPARATOR_LINE = re.compile(r"\ufeff?\"?sep=(.)\"?\r?\n?", re.IGNORECASE)
"""First line that Excel writes, with the delimiter."""
ROWS_PROBED = 50
BYTES_PROBED = 65536
MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
"""First bytes of a file, and the encoding that they stand for."""


class TextTable(AbstractContextManager["TextTable"]):
    """A table as text; see `TableFile`. Cells that look like numbers become numbers.

    Args:
        stream: bytes that can be read again from their start; closed with the table.
        source: its name in errors.
        text: how it is written.
        delimiter: where neither `text` nor the file gives one.

    Attributes:
        first_row: its cells as text.
        delimiter: between the cells.
        text: how it is written.

    Raises:
        DataError: for a text that is no table.
    """

    def __init__(self, stream: BinaryIO, source: str, text: TextFormat, delimiter: str) -> None:
        self.source, self.text = source, text
        self._stream = stream
        self._open = ExitStack()
        self._open.callback(stream.close)
        self._names: list[str] | None = None
        self.total = stream.seek(0, os.SEEK_END)
        stream.seek(0)
        head = stream.read(BYTES_PROBED)
        marked = next((MARKS[mark] for mark in MARKS if head.startswith(mark)), None)
        self._encoding = marked or text.encoding or "utf-8"
        if b"\0" in head and "16" not in self._encoding and "32" not in self._encoding:
            raise DataError(f"{source}: is no text file (it has zero bytes).")
        try:
            first = head.decode(self._encoding, "ignore").splitlines(keepends=True)[:1]
        except LookupError as error:
            raise DataError(
                f"{source}: {self._encoding!r} is no encoding; right are utf-8, latin-1, cp1252, "
                "utf-16 and others that Python knows."
            ) from error
        separated = SEPARATOR_LINE.fullmatch(first[0]) if first else None
        self._skipped = 1 if separated else 0
        self.delimiter = text.delimiter or (separated[1] if separated else delimiter)
        with self._named():
            self.first_row = self._read_first_row()

    @property
    def names(self) -> list[str]:
        """Of the columns.

        Raises:
            DataError: where the first row repeats one.
        """
        if self._names is None:
            row = self.first_row if self.text.header else [""] * len(self.first_row)
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
        self, size: int | None = None, as_text: Collection[str] = (), *, in_pieces: bool = False
    ) -> Iterator[pd.DataFrame]:
        """Tables; `in_pieces` parses each piece by piece, which takes a third less memory.

        It ends in a `DtypeWarning` where a column holds numbers in one piece and not in another.
        """
        stream = self._from_start(LARGEST_PART if size else None)
        with self._named():
            parsed = pd.read_csv(
                io.BufferedReader(stream),
                sep=self.delimiter,
                header=0 if self.text.header else None,
                names=self.names,
                index_col=False,
                dtype=str if self.text.as_text else dict.fromkeys({*as_text} & {*self.names}, str),
                na_values=self.text.missing_words(self.names),
                keep_default_na=self.text.keep_default_na,
                skiprows=self._skipped,
                skipinitialspace=True,
                encoding=self._encoding,
                compression=None,
                low_memory=in_pieces,
                iterator=True,
                chunksize=size,
            )
        self._open.enter_context(parsed)
        while True:
            stream.part = 0
            with self._named():
                chunk = next(parsed, None)
            if chunk is None:
                return
            yield chunk

    def refuse_larger(self, largest: int) -> None:
        """Raises `DataError` where there are more cells than `largest`."""
        self._stream.seek(0)
        blocks = iter(partial(self._stream.read, 2**20), b"")
        refuse_large(sum(map(_line_ends, blocks)), len(self.first_row), largest, self.source)

    def read(self, largest: int, as_text: Collection[str] = ()) -> pd.DataFrame:
        """All rows, the first one held against `header`."""
        self.refuse_larger(largest)
        if self.text.header:
            self._check_names()
        try:
            (frame,) = self.chunks(None, as_text, in_pieces=True)
        except pd.errors.DtypeWarning:
            (frame,) = self.chunks(None, as_text)
        if self.text.header:
            self._check_values(frame)
        else:
            self._check_data(frame.head(ROWS_PROBED))
        if frame.empty:
            raise DataError(f"{self.source}: has no rows of data.")
        return frame

    def __exit__(self, *error: object) -> None:
        self._open.close()

    def _from_start(self, largest: int | None = None) -> BoundedStream:
        self._stream.seek(0)
        return BoundedStream(self._stream, self.source, largest)

    def _read_first_row(self) -> list[str]:
        stream = io.BufferedReader(self._from_start())
        text = io.TextIOWrapper(stream, self._encoding, newline="")
        lines = map(self._not_too_wide, islice(text, self._skipped, None))
        rows = csv.reader(lines, delimiter=self.delimiter, skipinitialspace=True)
        row = next((row for row in rows if any(row) or len(row) > 1), None)
        if row is None:
            raise DataError(f"{self.source}: is an empty file.")
        return [*map(unquoted, row)]

    def _not_too_wide(self, line: str) -> str:
        refuse_wide(line.count(self.delimiter) + 1, self.source)
        return line

    def _check_names(self) -> None:
        """Refuses a first row of decimals, or whose cells repeat."""
        row = self.first_row
        decimals = [cell for cell in row if DECIMAL.fullmatch(cell)]
        numbers = [cell for cell in row if NUMBER.fullmatch(cell)]
        repeat = len({*numbers}) < len(numbers)
        if len(decimals) * 2 >= len(row) or (repeat and len(numbers) * 2 >= len(row)):
            raise self._nameless()
        hint = "; if its first row is data already, set data.header=false"
        refuse_repeated([cell for cell in row if cell], self.source, hint)

    def _check_values(self, frame: pd.DataFrame) -> None:
        """Refuses names that are also values, in at least half of the columns of text."""
        texts = [name for name in frame if not pd.api.types.is_numeric_dtype(frame[name])]
        values = [name for name in texts if (frame[name] == name).any()]
        if values and len(values) * 2 >= len(texts):
            raise self._nameless()

    def _nameless(self) -> DataError:
        return DataError(
            f"{self.source}: its first row looks like data, not like column names "
            f"({shortened(self.first_row, 4)}); set data.header=false."
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
        """Turns errors of pandas and Python about a text into ones that name it."""
        known = unreadable(self.source, "a table", ValueError, OverflowError, OSError, csv.Error)
        with known, warnings.catch_warnings():
            # pandas only warns where it drops the cells of rows longer than the header.
            for kind in (pd.errors.ParserWarning, pd.errors.DtypeWarning):
                warnings.simplefilter("error", kind)
            try:
                yield
            except pd.errors.EmptyDataError as error:
                raise DataError(f"{self.source}: is an empty file.") from error
            except pd.errors.ParserError as error:
                if "Calling read(nbytes)" in str(error):
                    # Ctrl-C while bytes were read: any other exception goes through pandas as it is
                    raise KeyboardInterrupt from error
                raise
            except UnicodeDecodeError as error:
                raise DataError(
                    f"{self.source}: is not {self._encoding.upper()} text ({error.reason}); if it "
                    "was saved on Windows, data.encoding=cp1252 may be right (to predict: "
                    "--encoding cp1252)."
                ) from error
            except pd.errors.ParserWarning as error:
                reason = "has rows with more cells than its first row"
                raise DataError(f"{self.source}: {reason}.") from error


def _line_ends(block: bytes) -> int:
    return max(block.count(b"\n"), block.count(b"\r"))
