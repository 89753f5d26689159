"""Checks on the feature columns of a table: numbers or text, or refused with a reason."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from src.data.errors import DataError
from src.data.tabular.cells import LARGEST_VALUE, unquoted
from src.errors import override

DATE = re.compile(
    r"(\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([ T].*)?|\d{1,2}[ -][A-Za-z]{3,9}[ -]\d{2,4}"
    r"|\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?)"
)
DATES_PROBED = 100
DATE_KINDS = {"date", "datetime", "datetime64", "time", "timedelta", "timedelta64", "period"}
NUMBER_KINDS = {"integer", "floating", "mixed-integer-float", "decimal"}


def clean_columns(
    frame: pd.DataFrame, source: str, *, missing: str = "impute", max_categories: int = 50
) -> pd.DataFrame:
    """Every column as float numbers with NaN, or as text with None.

    Args:
        frame: columns as read.
        source: the file, for errors.
        missing: `impute`, or `refuse` for none at all.
        max_categories: the most texts of a column before it counts as an identifier.

    Raises:
        DataError: naming the column, for dates, infinite or huge numbers and whatever is neither
            number nor text, for an empty column, an identifier, and missing values if refused.
    """
    columns = {str(name): _clean(frame[name], str(name), source) for name in frame.columns}
    cleaned = pd.DataFrame(columns, index=frame.index)
    for name in cleaned:
        _check(cleaned[name].dropna(), str(name), source, max_categories)
    counts = cleaned.isna().sum()
    if missing == "refuse" and counts.any():
        found = [f"{name!r} ({count})" for name, count in counts.items() if count]
        raise DataError(
            f"{source}: values are missing in columns {', '.join(found[:20])}; fill them, or set "
            "data.missing=impute."
        )
    return cleaned


def _check(column: pd.Series, name: str, source: str, max_categories: int) -> None:
    where, drop = f"{source}: column {name!r}", override("data.drop", [name])
    if column.empty:
        raise DataError(f"{where} is empty; leave it out with {drop}.")
    if pd.api.types.is_numeric_dtype(column) or column.nunique() <= max_categories:
        return
    numbers = pd.to_numeric(column, errors="coerce")
    if numbers.notna().all():
        raise DataError(
            f"{where} holds numbers stored as text; store them as numbers, or leave the column "
            f"out with {drop}."
        )
    if numbers.notna().mean() > 0.5:
        odd = column[numbers.isna()].iloc[0]
        raise DataError(
            f"{where} is of numbers but for {int(numbers.isna().sum())} cells, such as {odd!r}; "
            f"mend or empty them, or leave the column out with {drop}."
        )
    raise DataError(
        f"{where} has {column.nunique()} different texts, more than "
        f"{override('data.max_categories', max_categories)}: an identifier or free text? Leave it "
        f"out with {drop}, or raise the limit."
    )


def _clean(column: pd.Series, name: str, source: str) -> pd.Series:
    where = f"{source}: column {name!r}"
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(object)
    if column.isna().all():
        return pd.Series(np.nan, index=column.index)
    kind = pd.api.types.infer_dtype(column, skipna=True)
    probed = column.dropna().head(DATES_PROBED) if kind == "string" else ()
    if kind in DATE_KINDS or (len(probed) and all(DATE.fullmatch(unquoted(v)) for v in probed)):
        raise DataError(
            f"{where} holds dates or times; turn them into numbers (an age, a month), or leave the "
            f"column out with {override('data.drop', [name])}."
        )
    if kind in NUMBER_KINDS:
        numbers = column.astype(np.float64)
        if not np.nanmax(np.abs(numbers.to_numpy())) <= LARGEST_VALUE:
            raise DataError(
                f"{where} has infinite values or values beyond {LARGEST_VALUE:g}; correct or empty "
                "them."
            )
        return numbers
    if kind == "boolean":
        return column.map(str, na_action="ignore").astype(object)
    if kind == "string":
        return column.astype(object).map(unquoted, na_action="ignore")
    raise DataError(
        f"{where} holds values of kind {kind!r}; right are numbers, text and true or false. Leave "
        f"it out with {override('data.drop', [name])}."
    )
