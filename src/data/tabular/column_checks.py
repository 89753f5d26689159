"""Checks on the feature columns of a table: numbers or text, or refused with a reason."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Collection, Sequence

import numpy as np
import pandas as pd

from src.data.errors import DataError, shortened
from src.data.tabular.cells import LARGEST_VALUE, texts_of, unquoted
from src.data.tabular.number_format import LIKE_A_NUMBER, PLAIN, NumberFormat
from src.errors import override

DATE = re.compile(
    r"(\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([ T].*)?|\d{1,2}[ -][A-Za-z]{3,9}[ -]\d{2,4}"
    r"|\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?)"
)
DATES_PROBED = 100
DATE_KINDS = {"date", "datetime", "datetime64", "time", "timedelta", "timedelta64", "period"}
NUMBER_KINDS = {"integer", "floating", "mixed-integer-float", "decimal"}
MANY_NUMBERS = 10
"""More different numbers than this in a column of text are no names of categories."""

Written = Callable[[str], NumberFormat | None]

logger = logging.getLogger(__name__)


def clean_columns(
    frame: pd.DataFrame,
    source: str,
    *,
    missing: str = "impute",
    max_categories: int = 50,
    written: Written = lambda name: None,
    nominal: Collection[str] = (),
) -> pd.DataFrame:
    """Every column as float64 with NaN, or as categories of text.

    A column that is float64 already is not copied.

    `missing` and `max_categories` are those of :class:`Cleaning`. `written` says how a column's
    numbers are written, where not as in a program; `nominal` are columns that hold categories,
    whatever their texts look like.

    Raises:
        DataError: naming the column, for dates, infinite or huge numbers and whatever is neither
            number nor text, for an empty column, an identifier, and missing values if refused.
    """
    columns = {
        name: _clean(frame[name], name, source, written(name), nominal=name in nominal)
        for name in map(str, frame.columns)
    }
    cleaned = pd.DataFrame(columns, index=frame.index, copy=False)
    for name in columns:
        _check(cleaned[name], name, source, max_categories, nominal=name in nominal)
    counts = cleaned.isna().sum()
    if missing == "refuse" and counts.any():
        found = [f"{name!r} ({count})" for name, count in counts.items() if count]
        raise DataError(
            f"{source}: values are missing in columns {', '.join(found[:20])}; fill them, or set "
            "data.missing=impute."
        )
    return cleaned


def _check(
    column: pd.Series, name: str, source: str, max_categories: int, *, nominal: bool
) -> None:
    where, drop = f"{source}: column {name!r}", override("data.drop", [name])
    if column.isna().all():
        raise DataError(f"{where} is empty; leave it out with {drop}.")
    if pd.api.types.is_numeric_dtype(column):
        return
    texts = [*column.dropna().unique()]
    problem = "" if nominal else _numbers_among(texts)
    if len(texts) <= max_categories:
        if problem:
            also = f"As it is, each of its {len(texts)} texts is a category."
            logger.warning("%s %s, or leave it out with %s. %s", where, problem, drop, also)
        return
    if problem:
        raise DataError(f"{where} {problem}, or leave the column out with {drop}.")
    raise DataError(
        f"{where} has {len(texts)} different texts, more than "
        f"{override('data.max_categories', max_categories)}: an identifier or free text? Leave it "
        f"out with {drop}, or raise the limit."
    )


def _numbers_among(texts: Sequence[str]) -> str:
    """What is wrong with the texts of a column that should be numbers; empty for other columns."""
    like = [text for text in texts if LIKE_A_NUMBER.fullmatch(text)]
    odd = [text for text in texts if not PLAIN.pattern.fullmatch(text)]
    if len(like) == len(texts):
        if odd:
            return (
                f"holds numbers written in more than one way, such as {shortened(texts, 4)}; write "
                "them alike, or say how with data.decimal and data.thousands"
            )
        return "holds numbers stored as text; store them as numbers" * (len(like) > MANY_NUMBERS)
    if len(like) <= max(MANY_NUMBERS, len(texts) / 2):
        return ""
    words = [text for text in texts if text not in {*like}]
    return (
        f"is of numbers but for {shortened(words, 4)}; mend or empty these cells, count such words "
        f"as missing with {override('data.na_values', [words[0]])}"
    )


def _clean(
    column: pd.Series, name: str, source: str, written: NumberFormat | None, *, nominal: bool
) -> pd.Series:
    where = f"{source}: column {name!r}"
    if column.isna().all():
        return pd.Series(np.nan, index=column.index)
    kind = pd.api.types.infer_dtype(column, skipna=True)
    numbers = written.read(column) if written and kind == "string" else None
    if numbers is not None and not (np.isnan(numbers) & column.notna()).any():
        column, kind = pd.Series(numbers, column.index), "floating"
    probed = column.dropna().head(DATES_PROBED) if kind == "string" and not nominal else ()
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
    if kind in {"boolean", "string"}:
        codes, texts = texts_of(column, name)
        numbers, categories = pd.factorize(np.array(texts, object))
        numbers = np.append(numbers, -1)[codes]  # a missing cell has code -1
        return pd.Series(pd.Categorical.from_codes(numbers, [*categories]), column.index)
    raise DataError(
        f"{where} holds values of kind {kind!r}; right are numbers, text and true or false. Leave "
        f"it out with {override('data.drop', [name])}."
    )
