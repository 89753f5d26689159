"""Checks on the values of the `data.*` keys, each with an error that names the key."""

from __future__ import annotations

from collections.abc import Iterable

from src.data.errors import DataError, close_match


def check_fraction(key: str, value: float) -> None:
    """Refuses a share that does not lie strictly between 0 and 1.

    Args:
        key: the config key, such as `data.val_fraction`.
        value: the share.

    Raises:
        DataError: where it is no number or out of range.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1:
        raise DataError(f"{key}={value!r} must be a number between 0 and 1, both excluded.")


def check_number(key: str, value: float, least: float, *, above: bool = False) -> None:
    """Refuses a number below a bound, an infinite one and a value that is no number.

    Args:
        key: the config key, such as `data.class_sep`.
        value: the number.
        least: the smallest value that is right.
        above: whether the bound itself is refused too.

    Raises:
        DataError: where the number is out of range.
    """
    number = not isinstance(value, bool) and isinstance(value, int | float)
    if not number or not (least < value if above else least <= value) or value == float("inf"):
        bound = "above" if above else "at least"
        raise DataError(f"{key}={value!r} must be a finite number, {bound} {least:g}.")


def check_whole(key: str, value: int, least: int) -> None:
    """Refuses what is no whole number of at least `least`.

    Args:
        key: the config key, such as `data.n_samples`.
        value: the number.
        least: the smallest value that is right.

    Raises:
        DataError: where it is anything else.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise DataError(f"{key}={value!r} must be a whole number, at least {least}.")


def check_choice(key: str, value: str, choices: Iterable[str]) -> None:
    """Refuses a word that is not one of the choices.

    Args:
        key: the config key, such as `data.profile`.
        value: the word given.
        choices: the words that are right.

    Raises:
        DataError: where the word is none of them.
    """
    allowed = list(choices)
    if value not in allowed:
        raise DataError(
            f"{key}={value!r} must be one of {', '.join(allowed)}."
            f"{close_match(str(value), allowed)}"
        )


def check_seed(seed: int) -> None:
    """Refuses a seed that NumPy or scikit-learn would not take.

    Args:
        seed: the value of `data.seed`.

    Raises:
        DataError: where it is no whole number from 0 to 2^32 - 1.
    """
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**32:
        raise DataError(f"data.seed={seed!r} must be a whole number from 0 to {2**32 - 1}.")


def check_delimiter(key: str, value: str | None) -> None:
    """Refuses what is neither None nor one character.

    Args:
        key: the config key or option.
        value: the character between the cells of a text file.

    Raises:
        DataError: where it is anything else.
    """
    if value is not None and (not isinstance(value, str) or len(value) != 1):
        raise DataError(f"{key}={value!r} must be one character, such as ';'.")
