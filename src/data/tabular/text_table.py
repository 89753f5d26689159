"""Reads CSV and TSV files, and tells a row of names from a row of data."""

from __future__ import annotations

import logging
import re
import warnings
from pathlib import Path
from typing import Any

import pandas as pd

from src.data.errors import DataError, shortened

# Besides what pandas takes for missing ("", NA, NaN, null, None, ...): UCI's own mark.
MISSING_MARKS = ["?"]
DECIMAL = re.compile(r"\s*[-+]?(\d+\.\d*|\.\d+|\d+(\.\d*)?[eE][-+]?\d+)\s*")
ROWS_PROBED = 50

logger = logging.getLogger(__name__)


def read_text(path: Path, *, header: bool, delimiter: str) -> pd.DataFrame:
    """Reads a table of text; cells that look like numbers become numbers.

    Args:
        path: the file, UTF-8.
        header: whether the first row holds the columns' names.
        delimiter: one character between the cells.

    Returns:
        The table, its columns named by the first row, or `column_0`, `column_1`, ...

    Raises:
        DataError: for a file that is no table, without rows, with repeated column names, or whose
            first row contradicts `header`.
    """
    if not isinstance(delimiter, str) or len(delimiter) != 1:
        raise DataError(f"data.delimiter={delimiter!r} must be one character, such as ';'.")
    with path.open("rb") as file:
        if b"\0" in file.read(65536):
            raise DataError(f"{path}: is no text file (it has zero bytes).")
    as_text = {"dtype": str, "keep_default_na": False, "na_values": []}
    first = _parse(path, delimiter, header=None, nrows=1, **as_text)
    cells = [unquoted(cell) for cell in first.iloc[0]]
    if header:
        names = _checked_names(cells, path)
        frame = _parse(path, delimiter, header=0, names=names)
    else:
        frame = _parse(path, delimiter, header=None)
        frame.columns = pd.Index([f"column_{i}" for i in range(frame.shape[1])])
        _check_first_row(frame, path)
    if frame.empty:
        raise DataError(f"{path}: has no rows of data.")
    return frame


def unquoted(cell: str) -> str:
    """The cell without surrounding blanks and without a pair of single quotes around it.

    Args:
        cell: such as `" '-1'"`; double quotes are gone by the time it gets here.

    Returns:
        Such as `"-1"`.
    """
    cell = cell.strip()
    quoted = len(cell) > 1 and cell[0] == cell[-1] == "'"
    return cell[1:-1].strip() if quoted else cell


def _parse(path: Path, delimiter: str, **options: Any) -> pd.DataFrame:
    options = {"na_values": MISSING_MARKS} | options
    try:
        with warnings.catch_warnings():
            # pandas only warns where it drops the cells of rows longer than the header.
            warnings.simplefilter("error", pd.errors.ParserWarning)
            return pd.read_csv(
                path,
                sep=delimiter,
                index_col=False,
                low_memory=False,
                compression=None,
                encoding="utf-8",
                skipinitialspace=True,
                **options,
            )
    except pd.errors.EmptyDataError as error:
        raise DataError(f"{path}: is an empty file.") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: is not UTF-8 text ({error}).") from error
    except pd.errors.ParserWarning as error:
        raise DataError(f"{path}: has rows with more cells than its first row.") from error
    except (ValueError, OverflowError, OSError) as error:
        raise DataError(f"{path}: cannot be read as a table: {str(error).strip()}.") from error


def _checked_names(cells: list[str], path: Path) -> list[str]:
    decimals = [cell for cell in cells if DECIMAL.fullmatch(cell)]
    if len(decimals) * 2 >= len(cells):
        raise DataError(
            f"{path}: its first row looks like data, not like column names "
            f"({shortened(cells, 4)}); set data.header=false."
        )
    if not cells[0]:
        logger.warning(
            "%s: the first column has no name; if it is a row number, which can give the label "
            "away, leave it out with data.drop=[0]",
            path,
        )
    names = [cell or f"column_{i}" for i, cell in enumerate(cells)]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise DataError(f"{path}: column names repeat: {shortened(repeated)}.")
    return names


def _check_first_row(frame: pd.DataFrame, path: Path) -> None:
    """Refuses a first row of words above columns of numbers."""
    head = frame.head(ROWS_PROBED)
    for name in head.columns:
        column = head[name].dropna()
        if pd.api.types.is_numeric_dtype(column) or len(column) < 3 or pd.isna(head[name].iloc[0]):
            continue
        numeric = pd.to_numeric(column, errors="coerce").notna()
        if not numeric.iloc[0] and numeric.iloc[1:].all():
            raise DataError(
                f"{path}: its first row looks like column names ({column.iloc[0]!r} above numbers, "
                f"{name}); set data.header=true."
            )
