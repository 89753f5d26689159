"""What was read last, kept as long as its files stay as they are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

T = TypeVar("T")

NO_FILE = (0, 0)


class Latest(Generic[T]):
    """What was made last, such as the table of a sweep, which its seeds only split anew."""

    def __init__(self) -> None:
        self._key: object = None
        self._made: T | None = None

    def get(self, key: object, make: Callable[[], T]) -> T:
        """The object of a key, made unless it is the latest.

        Args:
            key: all that the object depends on, equal where that is the same.
            make: gives the object.
        """
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
