"""Keeps what was read last, such as the table of a sweep, which its seeds only split anew."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

T = TypeVar("T")

NO_FILE = (0, 0)


class Latest(Generic[T]):
    """Holds the object that was made last, with its key."""

    def __init__(self) -> None:
        self._key: object = None
        self._made: T | None = None

    def get(self, key: object, make: Callable[[], T]) -> T:
        """The object of a key, which holds all that it depends on; made unless it is the latest."""
        if self._made is None or self._key != key:
            self._made = None  # two large tables at a time may not fit
            self._made = make()
            self._key = key
        return self._made


def state_of(file: Path) -> tuple[int, int]:
    """When a file was last changed, in ns, and its bytes; `NO_FILE` where there is none."""
    if not file.is_file():
        return NO_FILE
    status = file.stat()
    return status.st_mtime_ns, status.st_size
