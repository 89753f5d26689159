"""Checks on the values of the `data.*` keys: each raises a `DataError` that names the key."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from src.data.errors import DataError, close_match

DELIMITER_NAMES = {"semicolon": ";", "tab": "\t", "pipe": "|", "comma": ",", "space": " "}
"""Most of the characters themselves mean something else to a shell."""


def check_fraction(key: str, value: Any) -> None:
    """Refuses a share that does not lie strictly between 0 and 1."""
    if not _is_number(value) or not 0 < value < 1:
        raise DataError(f"{key}={value!r} must be a number between 0 and 1, both excluded.")


def check_number(key: str, value: Any, least: float, *, above: bool = False) -> None:
    """Refuses a number below `least`, or equal to it where `above`, and infinity."""
    if not _is_number(value) or not least <= value < float("inf") or (above and value == least):
        bound = "above" if above else "at least"
        raise DataError(f"{key}={value!r} must be a finite number, {bound} {least:g}.")


def check_whole(key: str, value: Any, least: int) -> None:
    """Refuses everything but a whole number of at least `least`."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise DataError(f"{key}={value!r} must be a whole number, at least {least}.")


def check_choice(key: str, value: Any, choices: Collection[str]) -> None:
    """Refuses a word that is not one of the choices."""
    if value not in choices:
        raise DataError(
            f"{key}={value!r} must be one of {', '.join(choices)}."
            f"{close_match(str(value), choices)}"
        )


def check_seed(seed: Any, key: str = "data.seed") -> None:
    """Refuses a seed that NumPy or scikit-learn would not take: right is 0 to 2^32 - 1."""
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**32:
        raise DataError(f"{key}={seed!r} must be a whole number from 0 to {2**32 - 1}.")


def read_delimiter(key: str, value: Any) -> str | None:
    """The character that a delimiter's name stands for, a character itself, or None.

    Raises:
        DataError: for anything else.
    """
    if value is None or value in DELIMITER_NAMES:
        return value and DELIMITER_NAMES[value]
    if not isinstance(value, str) or len(value) != 1:
        names = ", ".join(DELIMITER_NAMES)
        raise DataError(f"{key}={value!r} must be {names}, or one character.")
    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
