"""Bounds on the size of a table, checked before memory is taken for it."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any, BinaryIO

from src.data.errors import TooLargeError

MOST_COLUMNS = 100_000
LONGEST_ROW = 16 * 2**20
"""Bytes between two ends of a line."""
LARGEST_PART = 512 * 2**20
"""Bytes that become a chunk of rows, such as one cell with an open quote."""
BYTES_A_CELL = 26
"""At the peak: the column itself, and three copies of the training split while it is fitted."""
CONTROL_GROUPS = {"": ("", "memory.max"), "memory": ("memory", "memory.limit_in_bytes")}
"""Folder and file of a group's limit, in version 2, whose groups have no name, and in version 1."""


def usable_memory(
    mounted: Path = Path("/sys/fs/cgroup"), groups: Path = Path("/proc/self/cgroup")
) -> int:
    """Bytes that this process may have: the machine's memory, or less by its control groups.

    Linux shows limits of groups under `mounted`, and names those of this process in `groups`.
    """
    limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for line in groups.read_text().splitlines() if groups.is_file() else ():
        _, kind, path = line.split(":", 2)
        if kind in CONTROL_GROUPS:
            folder, name = CONTROL_GROUPS[kind]
            group = Path(path).relative_to("/")
            for one in (group, *group.parents):
                file = mounted / folder / one / name
                limit = file.read_text().strip() if file.is_file() else ""
                limits += [int(limit)] if limit.isdigit() else []  # else "max", which is none
    return min(limits)


def refuse_wide(columns: int, source: str) -> None:
    """Raises `TooLargeError` where there are more columns than can be used."""
    if columns > MOST_COLUMNS:
        raise TooLargeError(f"{source}: has {columns:,} columns; {MOST_COLUMNS:,} are the most.")


def refuse_large(rows: int, columns: int, largest: int, source: str) -> None:
    """Raises `TooLargeError` where there are more cells than so many, or than memory allows."""
    if rows * columns > largest:
        raise TooLargeError(
            f"{source}: {rows:,} rows of {columns:,} columns are more than the {largest:,} cells "
            "that fit."
        )
    memory = usable_memory()
    cells = memory // 2 // BYTES_A_CELL
    if rows * columns > cells:
        fewer = f" or {cells // rows:,} columns of all rows" if cells >= 2 * rows else ""
        raise TooLargeError(
            f"{source}: {rows:,} rows of {columns:,} columns take about "
            f"{rows * columns * BYTES_A_CELL / 1e9:,.1f} GB, more than half of the "
            f"{memory / 1e9:,.1f} GB of memory that this process may have. "
            f"{cells // columns:,} rows of all columns{fewer} fit: write fewer to the file; "
            "columns of a Parquet file that data.drop names are not read."
        )


class BoundedStream(io.RawIOBase):
    """The bytes of a text, which refuses to be read where a row is too long to be one.

    Args:
        stream: the bytes; not closed with this one.
        source: of the text, for errors.
        largest: bytes per part, which begins when `part` is set to 0; None for any number.

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
