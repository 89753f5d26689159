"""Bounds on the size of a table, checked before memory is taken for it."""

from __future__ import annotations

import io
from typing import Any, BinaryIO

from src.data.errors import TooLargeError

MOST_COLUMNS = 100_000
LONGEST_ROW = 16 * 2**20
"""Bytes between two ends of a line."""
LARGEST_PART = 512 * 2**20
"""Bytes that become a chunk of rows, such as one cell with an open quote."""


def refuse_wide(columns: int, source: str) -> None:
    """Raises `TooLargeError` where there are more columns than can be used."""
    if columns > MOST_COLUMNS:
        raise TooLargeError(f"{source}: has {columns:,} columns; {MOST_COLUMNS:,} are the most.")


def refuse_large(rows: int, columns: int, largest: int, source: str) -> None:
    """Raises `TooLargeError` where there are more cells than fit."""
    if rows * columns > largest:
        raise TooLargeError(
            f"{source}: {rows:,} rows of {columns:,} columns are more than the {largest:,} cells "
            "that fit."
        )


class BoundedStream(io.RawIOBase):
    """A text's bytes, up to a row that is too long to be one.

    Args:
        stream: the bytes; not closed with this one.
        source: what they are called in errors.
        largest: bytes until `part` begins anew; None for any number.

    Raises:
        TooLargeError: while it is read.
    """

    def __init__(self, stream: BinaryIO, source: str, largest: int | None = None) -> None:
        self._stream, self._source, self._largest = stream, source, largest
        self._row = self.part = 0

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fills the buffer."""
        block = self._stream.read(len(buffer))
        buffer[: len(block)] = block
        end = max(block.rfind(b"\n"), block.rfind(b"\r"))
        self._row = len(block) - end - 1 + (self._row if end < 0 else 0)
        self.part += len(block)
        if self._row > LONGEST_ROW:
            raise TooLargeError(
                f"{self._source}: has a row of more than {LONGEST_ROW:,} bytes, so it is no table "
                "that can be used."
            )
        if self._largest and self.part > self._largest:
            raise TooLargeError(
                f"{self._source}: a few rows take more than {self._largest:,} bytes; is a quote "
                "left open?"
            )
        return len(block)
