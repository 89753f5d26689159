"""Cells of a new row as numbers or as text, or an error that names the row and the column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from src.data.errors import CellError
from src.data.tabular.column_checks import LARGEST_VALUE, NUMBER_KINDS
from src.data.tabular.text_table import unquoted

MISSING_CATEGORY = "(missing)"
LONGEST_SHOWN = 60


def block_of_numbers(rows: pd.DataFrame, names: Sequence[str]) -> NDArray[np.float64]:
    """The cells of columns that must hold numbers: float64, one column a name, NaN where missing.

    Args:
        rows: a table of n rows.
        names: of the columns.

    Raises:
        CellError: for the first column's first cell that is no number, or infinite or huge.
    """
    block = rows[list(names)]
    if all(isinstance(dtype, np.dtype) and dtype.kind in "fiu" for dtype in block.dtypes):
        numbers = block.to_numpy(np.float64)
        if not (np.abs(numbers) > LARGEST_VALUE).any():
            return numbers
    return np.column_stack([numbers_of(rows[name], name) for name in names])


def numbers_of(column: pd.Series, name: str) -> NDArray[np.float64]:
    """The cells of a column that must hold numbers.

    Args:
        column: n cells; missing ones are fine.
        name: of the column.

    Returns:
        float64, shape (n,), NaN where missing.

    Raises:
        CellError: for the first cell that is no number, or infinite or huge.
    """
    if not _is_number_column(column):
        _raise_first(column, name, lambda cell: not _is_number(cell), "is no number")
    try:
        numbers = column.to_numpy(np.float64, na_value=np.nan)
    except (OverflowError, TypeError, ValueError):
        _raise_first(column, name, lambda cell: not _fits(cell), "is no number, or too large a one")
        raise
    too_large = ~(np.abs(numbers) <= LARGEST_VALUE) & ~np.isnan(numbers)
    if too_large.any():
        row = int(too_large.argmax())
        raise CellError(row, name, f"{numbers[row]:g} is infinite or beyond {LARGEST_VALUE:g}")
    return numbers


def texts_of(column: pd.Series, name: str) -> tuple[NDArray[np.intp], list[str]]:
    """The cells of a column that holds categories, each as training read it.

    Text loses surrounding blanks and single quotes; `True` and `1` become the text that a column
    of categories has for them, since a table without the other categories reads as such.

    Args:
        column: n cells; missing ones are fine.
        name: of the column.

    Returns:
        The number of each cell's text, -1 where missing, shape (n,), and the texts.

    Raises:
        CellError: for the first cell that is neither text, number nor truth value.
    """
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(object)
    try:
        codes, values = pd.factorize(column)
        texts = [_text(value) for value in values]
    except TypeError:
        _raise_first(column, name, lambda cell: not _is_category(cell), "is no category")
        raise
    return codes, texts


def _is_number_column(column: pd.Series) -> bool:
    dtype = column.dtype
    if pd.api.types.is_numeric_dtype(dtype):
        return not pd.api.types.is_bool_dtype(dtype)
    if column.isna().all():
        return True
    return pd.api.types.infer_dtype(column, skipna=True) in NUMBER_KINDS


def _is_number(cell: Any) -> bool:
    if isinstance(cell, list | dict | tuple):
        return False
    if pd.isna(cell):
        return True
    return pd.api.types.infer_dtype([cell]) in NUMBER_KINDS


def _fits(cell: Any) -> bool:
    try:
        return pd.isna(cell) or float(cell) is not None
    except (OverflowError, TypeError, ValueError):
        return False


def _is_category(cell: Any) -> bool:
    try:
        return bool(pd.isna(cell)) or _text(cell) is not None
    except (TypeError, ValueError):
        return False


def _text(value: Any) -> str:
    if isinstance(value, str):
        return unquoted(value)
    if isinstance(value, bool | np.bool_):
        return str(bool(value))
    if isinstance(value, int | np.integer):
        return str(int(value))
    if isinstance(value, float | np.floating):
        return str(int(value)) if float(value).is_integer() else repr(float(value))
    raise TypeError(f"{value!r} is no category")


def _raise_first(column: pd.Series, name: str, wrong: Any, reason: str) -> None:
    """Raises for the first cell that is wrong, where there is one."""
    for row, cell in enumerate(column):
        if wrong(cell):
            shown = repr(cell)
            if len(shown) > LONGEST_SHOWN:
                shown = shown[:LONGEST_SHOWN] + "…"
            raise CellError(row, name, f"{shown} {reason}")
