"""How a table is written as text, by the keys under `data`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from src.data.errors import DataError

DELIMITER_NAMES = {"semicolon": ";", "tab": "\t", "pipe": "|", "comma": ",", "space": " "}
"""Names of delimiters, since most of the characters mean something else to a shell."""
MISSING_MARK = "?"
"""UCI's mark for a missing cell, beside pandas's words (NA, NaN, null, None, ...)."""


@dataclass(frozen=True, kw_only=True)
class TextFormat:
    """How a table is written as text.

    Attributes:
        header: whether the first row holds the columns' names.
        delimiter: one character between cells; None: as Excel's first line `sep=` says, else comma
            for .csv, tab for .tsv and .tab.
        encoding: as Python calls it; None: UTF-8, unless the file begins with a byte-order mark.
        decimal: before the fraction of a number, `.` or `,`; None finds it.
        thousands: between groups of three digits; None finds it.
        na_values: more words for missing cells, for all columns or by column.
        keep_default_na: whether pandas's words for missing cells (NA, None, null, ...) and `?`
            count; an empty cell always does.
    """

    header: bool = True
    delimiter: str | None = None
    encoding: str | None = None
    decimal: str | None = None
    thousands: str | None = None
    na_values: tuple[str, ...] | dict[str, tuple[str, ...]] = ()
    keep_default_na: bool = True

    @staticmethod
    def taken_from(keys: dict[str, Any]) -> TextFormat:
        """Takes the keys of the format out of those of a source.

        Raises:
            DataError: for a delimiter that is none.
        """
        own = {one.name: keys.pop(one.name) for one in fields(TextFormat) if one.name in keys}
        own["delimiter"] = read_delimiter("data.delimiter", own.get("delimiter"))
        words = own.get("na_values") or ()
        if isinstance(words, Mapping):
            own["na_values"] = {str(name): tuple(map(str, of)) for name, of in words.items()}
        else:
            own["na_values"] = tuple(map(str, words))
        return TextFormat(**own)

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


def read_delimiter(key: str, value: Any) -> str | None:
    """The character of a delimiter that is given by name or as itself; None stays None.

    Raises:
        DataError: for anything else.
    """
    if value is None or value in DELIMITER_NAMES:
        return value and DELIMITER_NAMES[value]
    if not isinstance(value, str) or len(value) != 1:
        names = ", ".join(DELIMITER_NAMES)
        raise DataError(f"{key}={value!r} must be {names}, or one character.")
    return value
