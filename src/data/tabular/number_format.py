"""Numbers as people write them: decimal commas, thousands separators, per cent, currency signs.

pandas reads such numbers too, but removes a thousands separator wherever it stands: with
`thousands=","` it reads `6,2` as 62. Here three digits follow a separator, or it is no number.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from src.data.errors import DataError, shortened
from src.data.tabular.text_format import TextFormat
from src.errors import override

DECIMALS = (".", ",")
THOUSANDS = (",", ".", " ", "\u00a0", "\u202f", "'", "\u2019")
SIGN = "[%\u2030$\u00a2-\u00a5\u20a0-\u20cf]"
LIKE_A_NUMBER = re.compile(
    rf"\s*(?:{SIGN}\s*)?[-+]?(?:{SIGN}\s*)?(?:[0-9][0-9.,'\u2019\s]*|[.,][0-9]+)(?:[eE][-+]?[0-9]+)?\s*{SIGN}?\s*"
)


@dataclass(frozen=True)
class NumberFormat:
    """How the numbers of a column are written; by default as in a program.

    Attributes:
        decimal: before the fraction.
        thousands: between groups of three digits; None where there is none.
        sign: per cent or a currency, before or after a number, which may be without.
    """

    decimal: str = "."
    thousands: str | None = None
    sign: str = ""

    @property
    def keys(self) -> str:
        """The format as one types it in a shell."""
        given = {"data.decimal": self.decimal, "data.thousands": self.thousands}
        return " ".join(override(key, mark) for key, mark in given.items() if mark)

    @property
    def hint(self) -> str:
        """The end of an error about a cell: how the numbers trained on are written, if unusual."""
        found = [f"decimals after {self.decimal!r}"] if self.decimal != "." else []
        found += [f"thousands parted by {self.thousands!r}"] if self.thousands else []
        found += [f"the sign {self.sign!r}"] if self.sign else []
        return f"; the numbers trained on have {' and '.join(found)}" if found else ""

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Matches a number, with its plus or minus and its digits as groups."""
        grouped = (
            rf"|[0-9]{{1,3}}(?:{re.escape(self.thousands)}[0-9]{{3}})+" if self.thousands else ""
        )
        point, sign = re.escape(self.decimal), re.escape(self.sign)
        digits = rf"(?:(?:[0-9]+{grouped})(?:{point}[0-9]*)?|{point}[0-9]+)(?:[eE][-+]?[0-9]+)?"
        before, after = (rf"(?:{sign}\s*)?", rf"(?:\s*{sign})?") if sign else ("", "")
        return re.compile(rf"\s*{before}([-+]?){before}({digits}){after}\s*")

    def read(self, column: pd.Series) -> NDArray[np.float64]:
        """The numbers, shape (n,); NaN where a cell is missing or no number so written."""
        codes, values = pd.factorize(column)
        return np.array([*map(self._number, values), np.nan])[codes]

    def _number(self, cell: Any) -> float:
        if isinstance(cell, Real) and not isinstance(cell, bool):
            return float(cell)
        found = self.pattern.fullmatch(cell) if isinstance(cell, str) else None
        if not found:
            return np.nan
        digits = found[2].replace(self.thousands, "") if self.thousands else found[2]
        return float(found[1] + digits.replace(self.decimal, "."))


PLAIN = NumberFormat()


def find_formats(
    frame: pd.DataFrame, source: str, text: TextFormat, delimiter: str | None
) -> tuple[TextFormat, dict[str, str]]:
    """How the numbers in a table's columns of text are written.

    `decimal` and `thousands` are taken as they are where `text` gives them. Where the delimiter is
    a comma, decimals have a point.

    Returns:
        The text's format with that of the numbers of all columns, and the signs of the columns that
        have one, by name.

    Raises:
        DataError: where two formats fit, or none fits two columns; says what to set.
    """
    decimal, thousands = text.decimal, text.thousands
    given = [thousands] if thousands else [None, *THOUSANDS]
    points = [decimal] if decimal else DECIMALS
    fitting = [NumberFormat(point, mark) for point in points for mark in given if mark != point]
    if not fitting:
        raise DataError(f"data.thousands={thousands!r} must differ from data.decimal.")
    looked_at: list[Sequence[str]] = []
    signs: dict[str, str] = {}
    for name in frame:
        texts = _written(frame[name], replace(PLAIN, decimal=decimal or "."))
        sign = _common_sign(texts)
        own = [one for one in fitting if _reads(replace(one, sign=sign), texts)]
        if texts and own:
            fitting = own
            looked_at.append([cell.replace(sign, "") for cell in texts] if sign else texts)
            signs |= {str(name): sign} if sign else {}
    if delimiter == ",":
        fitting = [one for one in fitting if one.decimal == "."] or fitting
    for texts in looked_at:
        values = [one.read(pd.Series(texts)) for one in fitting]
        other = next((k for k, found in enumerate(values) if (found != values[0]).any()), None)
        if other is not None:
            raise DataError(
                f"{source}: numbers such as {shortened(texts, 3)} can be read in two ways; set "
                f"{fitting[0].keys} or {fitting[other].keys}."
            )
    return replace(text, decimal=fitting[0].decimal, thousands=fitting[0].thousands), signs


def _written(column: pd.Series, plain: NumberFormat) -> Sequence[str]:
    """The different texts of a column of numbers that are not all plain; else none."""
    if pd.api.types.infer_dtype(column, skipna=True) != "string":
        return []
    texts = [*pd.unique(column.dropna())]
    if not all(map(LIKE_A_NUMBER.fullmatch, texts)) or _reads(plain, texts):
        return []
    return texts


def _common_sign(texts: Sequence[str]) -> str:
    """The sign that is in all of them, the only one; or none."""
    found = {*re.findall(SIGN, "".join(texts))}
    sign = found.pop() if len(found) == 1 else ""
    return sign if all(sign in text for text in texts) else ""


def _reads(written: NumberFormat, texts: Sequence[str]) -> bool:
    return all(map(written.pattern.fullmatch, texts))
