"""How a table is written as text, by the keys under `data`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MISSING_MARK = "?"
"""UCI's mark for a missing cell, beside pandas's words (NA, NaN, null, None, ...)."""


@dataclass(frozen=True, kw_only=True)
class TextFormat:
    """How a table is written as text; None stands for what is usual or can be found.

    Attributes:
        header: whether the first row holds the columns' names.
        delimiter: one character between cells.
        encoding: of the characters, as Python calls it; None for UTF-8.
        decimal: before the fraction of a number.
        thousands: between groups of three digits.
        na_values: further words for missing cells, of all columns or by column.
        keep_default_na: whether pandas's own words for missing cells, and `?`, count.
    """

    header: bool = True
    delimiter: str | None = None
    encoding: str | None = None
    decimal: str | None = None
    thousands: str | None = None
    na_values: tuple[str, ...] | dict[str, tuple[str, ...]] = ()
    keep_default_na: bool = True

    @property
    def as_text(self) -> bool:
        """Whether cells are read as text, since pandas would read other numbers than are meant."""
        return self.decimal == "," or self.thousands is not None

    def missing_words(self, names: Sequence[str]) -> dict[str, list[str]]:
        """Words for a missing cell beside pandas's own, by column; an empty cell is missing."""
        usual = ["", MISSING_MARK] if self.keep_default_na else [""]
        words = self.na_values
        if isinstance(words, Mapping):
            return {name: [*usual, *words.get(name, ())] for name in names}
        return {name: [*usual, *words] for name in names}


def words_of(na_values: Any) -> tuple[str, ...] | dict[str, tuple[str, ...]]:
    """Words for missing cells, a list or lists by column, as text."""
    if isinstance(na_values, Mapping):
        return {str(name): tuple(map(str, words)) for name, words in na_values.items()}
    return tuple(map(str, na_values or ()))
