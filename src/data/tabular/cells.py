"""Cells of a table as numbers or as text, or an error that names the row and the column."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from src.data.errors import CellError
from src.data.tabular.number_format import NumberFormat

MISSING_CATEGORY = "(missing)"
LONGEST_SHOWN = 60
LARGEST_VALUE = 1e100
"""Squares of larger values overflow in the standard deviation."""


def unquoted(cell: str) -> str:
    """The cell without blanks and a pair of single quotes around it: `" '-1'"` becomes `"-1"`."""
    cell = cell.strip()
    quoted = len(cell) > 1 and cell[0] == cell[-1] == "'"
    return cell[1:-1].strip() if quoted else cell


def numbers_of(
    column: pd.Series, name: str, written: NumberFormat | None = None
) -> NDArray[np.float64]:
    """The cells of a column of numbers: float64, shape (n,), NaN where missing.

    `written` says how numbers are written as text; without it, text is no number.

    Raises:
        CellError: for the first cell that is no number, or infinite or huge.
    """
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        numbers = column.to_numpy(np.float64, na_value=np.nan)
    elif written:
        numbers = written.read(column)
        wrong = np.isnan(numbers) & column.notna().to_numpy()
        if wrong.any():
            row = int(wrong.argmax())
            raise CellError(row, name, f"{_shown(column.iloc[row])} is no number{written.hint}")
    else:
        numbers = np.array(_each(column, name, _number), np.float64)
    too_large = ~(np.abs(numbers) <= LARGEST_VALUE) & ~np.isnan(numbers)
    if too_large.any():
        row = int(too_large.argmax())
        raise CellError(row, name, f"{numbers[row]:g} is infinite or beyond {LARGEST_VALUE:g}")
    return numbers


def texts_of(column: pd.Series, name: str) -> tuple[NDArray[np.intp], list[str]]:
    """The cells of a column that holds categories, each as training read it.

    Text loses surrounding blanks and single quotes; `True` and `1` become the text that a column
    of categories has for them, since a table without the other categories reads as such.

    Returns:
        The number of each cell's text, -1 where missing, shape (n,), and the texts.

    Raises:
        CellError: for the first cell that is neither text, number nor truth value.
    """
    try:
        codes, values = pd.factorize(column)
        return codes, [text_of(value) for value in values]
    except TypeError:
        _each(column, name, lambda cell: _is_missing(cell) or text_of(cell))
        raise


def _each(column: pd.Series, name: str, read: Callable[[Any], Any]) -> list[Any]:
    found = []
    for row, cell in enumerate(column):
        try:
            found.append(read(cell))
        except OverflowError as error:
            raise CellError(row, name, f"{_shown(cell)} is too large a number") from error
        except (TypeError, ValueError) as error:
            raise CellError(row, name, f"{_shown(cell)} {error}") from error
    return found


def _shown(cell: Any) -> str:
    shown = repr(cell)
    return shown if len(shown) <= LONGEST_SHOWN else shown[:LONGEST_SHOWN] + "…"


def _is_missing(cell: Any) -> bool:
    return pd.api.types.is_scalar(cell) and bool(pd.isna(cell))


def _number(cell: Any) -> float:
    if _is_missing(cell):
        return np.nan
    if isinstance(cell, bool) or not isinstance(cell, Real | Decimal):
        raise TypeError("is no number")
    return float(cell)


def name_of(value: Any) -> str:
    """The name of a class or of a group: a category as text, and whatever else it is, a date."""
    return text_of(value) if isinstance(value, str | Real) else str(value)


def text_of(value: Any) -> str:
    """A category as text: whole numbers without a fraction, text without quotes.

    Raises:
        TypeError: for what is neither text, number nor truth value.
    """
    if isinstance(value, str):
        return unquoted(value)
    if isinstance(value, bool | np.bool_):
        return str(bool(value))
    if isinstance(value, int | np.integer):
        return str(int(value))
    if isinstance(value, float | np.floating):
        return str(int(value)) if float(value).is_integer() else repr(float(value))
    raise TypeError("is no category")
