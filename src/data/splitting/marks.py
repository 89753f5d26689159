"""Reads the columns about the split of a table: groups, times, and names of splits."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from src.data.errors import DataError, shortened
from src.data.splitting.plan import RowMarks
from src.data.tabular.cells import name_of, unquoted
from src.data.tabular.column_checks import Written
from src.data.tabular.number_format import PLAIN

PARTS = {"train": 0, "val": 1, "validation": 1, "test": 2}
"""Words of a column of splits, and what they mean."""
ZONE = re.compile(r"(Z|[+-]\d{2}:?\d{2})$")


def read_marks(
    frame: pd.DataFrame,
    columns: Mapping[str, str],
    source: str,
    written: Written,
    file_sizes: Sequence[int] = (),
) -> RowMarks:
    """The columns about the split of a table as read.

    Their names are given by key: `group`, `time` or `split_column`. `written` says how a column's
    numbers are written; `file_sizes` are the rows of each file where there are several.

    Raises:
        DataError: for a cell that is missing or cannot be read.
    """
    for key, name in columns.items():
        refuse_gaps(frame[name], f"{source}: column {name!r} (data.{key})")
    group, names = _groups(frame[columns["group"]]) if "group" in columns else (None, ())
    return RowMarks(
        group=group,
        group_names=names,
        time=_times(frame, columns["time"], source, written) if "time" in columns else None,
        row=np.concatenate([np.arange(n) + 1 for n in file_sizes or [len(frame)]]),
        part=_parts(frame, columns["split_column"], source) if "split_column" in columns else None,
    )


def refuse_gaps(column: pd.Series, where: str) -> None:
    """Raises `DataError`, which begins with `where`, for a column with missing cells."""
    gaps = column.isna().to_numpy()
    if gaps.any():
        raise DataError(
            f"{where} has {gaps.sum()} missing cells, the first in row {gaps.argmax() + 1}; every "
            "row needs one, so fill it or leave the row out."
        )


def _groups(column: pd.Series) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Numbers of the groups, and their names."""
    codes, values = pd.factorize(column)
    numbers, names = pd.factorize(np.array([*map(name_of, values)], object))
    return numbers[codes].astype(np.int64), tuple(names)


def _parts(frame: pd.DataFrame, name: str, source: str) -> NDArray[np.int64]:
    """The number of the split in each row: 0, 1 or 2."""
    where = f"{source}: column {name!r} (data.split_column)"
    codes, values = pd.factorize(frame[name])
    words = [*map(name_of, values)]
    unknown = [word for word in words if word.lower() not in PARTS]
    if unknown:
        raise DataError(
            f"{where} holds {shortened(unknown, 4)}; right are train, test, and val or validation."
        )
    parts = np.array([PARTS[word.lower()] for word in words])
    for part in ("train", "test"):
        if PARTS[part] not in parts:
            raise DataError(f"{where} has no row of {part!r}, only {shortened(words)}.")
    return parts[codes].astype(np.int64)


def _times(frame: pd.DataFrame, name: str, source: str, written: Written) -> NDArray[Any]:
    """Times as numbers; dates become microseconds since 1970."""
    column, where = frame[name], f"{source}: column {name!r} (data.time)"
    if pd.api.types.is_bool_dtype(column):
        raise DataError(f"{where} holds true and false; right are numbers or dates.")
    if pd.api.types.is_numeric_dtype(column):
        return _finite(column.to_numpy(np.float64), where)
    kind = pd.api.types.infer_dtype(column, skipna=True)
    if kind in {"date", "datetime", "datetime64"}:
        return _microseconds(pd.to_datetime(column, utc=True))
    if kind != "string":
        raise DataError(f"{where} holds values of kind {kind!r}; right are numbers or dates.")
    texts = column.map(unquoted)
    numbers = (written(name) or PLAIN).read(texts)
    if not np.isnan(numbers).any():
        return _finite(numbers, where)
    return _microseconds(_dates(texts, where))


def _finite(numbers: NDArray[np.float64], where: str) -> NDArray[np.float64]:
    if not np.isfinite(numbers).all():
        row = int(np.argmin(np.isfinite(numbers)))
        raise DataError(f"{where} is infinite in row {row + 1}; right are numbers or dates.")
    return numbers


def _microseconds(dates: pd.Series) -> NDArray[np.int64]:
    return dates.dt.as_unit("us").astype(np.int64).to_numpy()


def _dates(texts: pd.Series, where: str) -> pd.Series:
    """Dates in one form, which can be read in one way alone."""
    zoned = texts.map(lambda text: ZONE.search(text) is not None)
    if zoned.any() and not zoned.all():
        with_zone, without = texts[zoned].iloc[0], texts[~zoned].iloc[0]
        raise DataError(
            f"{where} holds times of mixed form, such as {with_zone!r} with a zone and {without!r} "
            "without; write them alike."
        )
    found = _parsed(texts, format="ISO8601")
    if found is not None:
        return found
    by_day, by_month = (_parsed(texts, dayfirst=first) for first in (True, False))
    if by_day is not None and by_month is not None and not by_day.equals(by_month):
        row = int(np.argmax((by_day != by_month).to_numpy()))
        raise DataError(
            f"{where} holds dates such as {texts.iloc[row]!r}, which can be "
            f"{by_day.iloc[row]:%Y-%m-%d} or {by_month.iloc[row]:%Y-%m-%d}; write them as "
            "year-month-day."
        )
    readable = by_day if by_day is not None else by_month
    if readable is None:
        forms = texts.replace({r"\d": "0", r"[A-Za-z]+": "a"}, regex=True)
        examples = [texts.iloc[0], *texts[forms != forms.iloc[0]].head(1)]
        raise DataError(
            f"{where} holds neither numbers nor dates of one form, such as {shortened(examples)}; "
            "write them as 2026-03-31."
        )
    return readable


def _parsed(texts: pd.Series, **form: Any) -> pd.Series | None:
    """All texts as dates of the form that the first has; None where one of them is no such date."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        warnings.filterwarnings("error", "Could not infer format")  # a form for each text, then
        try:
            return pd.to_datetime(texts, utc=True, **form)
        except (ValueError, UserWarning, OverflowError):
            return None
