"""Finds a table's label column and turns its values into class numbers and class names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from src.data.dataset import Labels
from src.data.errors import DataError, shortened
from src.data.tabular.cells import name_of
from src.errors import close_match

WHOLE_NUMBER = re.compile(r"[-+]?\d+")
NUMBER = re.compile(r"[-+]?\d+(\.\d+)?([eE][-+]?\d+)?")
MANY_VALUES = 20
"""More distinct values than this, and fractions or nearly all of them rare: no class label."""
FEW_ROWS = 3


def column_name(wanted: Any, names: Sequence[str], key: str, source: str) -> str:
    """Name of a column given by name or by index.

    A name wins over an index: `"3"` is the column of that name where there is one, else the
    fourth column. A whole number is always an index, and a negative one counts from the end.

    Raises:
        DataError: where there is no such column, with those there are; names `key`.
    """
    if isinstance(wanted, str):
        if wanted in names:
            return wanted
        if not WHOLE_NUMBER.fullmatch(wanted.strip()):
            raise DataError(
                f"{key}={wanted!r} is no column of {source}; its columns are {shortened(names)}."
                f"{close_match(wanted, names)}"
            )
        wanted = int(wanted)
    if isinstance(wanted, bool) or not isinstance(wanted, int):
        raise DataError(f"{key}={wanted!r} must be a column's name or index.")
    if not -len(names) <= wanted < len(names):
        raise DataError(
            f"{key}={wanted} is out of range: {source} has {len(names)} columns, 0 to "
            f"{len(names) - 1} or, from the end, -1 to {-len(names)}: {shortened(names)}."
        )
    return names[wanted]


def encode_labels(
    column: pd.Series, source: str, *, words_are_missing: bool = True
) -> tuple[Labels, tuple[str, ...]]:
    """Numbers the classes 0 to K-1 in order: numbers by size, text by alphabet.

    Labels are whole numbers, text or truth values. Text that is a number in every row is ordered as
    numbers; surrounding blanks and single quotes are no part of a label. `words_are_missing` says
    whether words such as None were read as missing, for the error.

    Returns:
        Class numbers, int64, shape (n,), and the K class names.

    Raises:
        DataError: where labels are missing, or look like a measurement or an identifier.
    """
    missing = column.isna().to_numpy()
    if missing.any():
        hint = (
            " If that is a class called None, NA or such, which is a word for missing, set "
            "data.keep_default_na=false."
        )
        raise DataError(
            f"{source}: {missing.sum()} of {len(column)} rows have no label in column "
            f"{column.name!r}, the first is row {missing.argmax()} of the data; fill or remove "
            f"them.{hint if words_are_missing else ''}"
        )
    codes, values = pd.factorize(column)
    where = f"{source}: label column {column.name!r}"
    _check_values(codes, values, where)
    for value in values:
        if isinstance(value, float | np.floating) and not np.isfinite(value):
            raise DataError(f"{where} holds {value}; no class is that.")
    names = [*map(name_of, values)]
    class_names = class_order(names)
    number = {name: k for k, name in enumerate(class_names)}
    return np.array([number[name] for name in names], dtype=np.int64)[codes], class_names


def class_order(names: Iterable[str]) -> tuple[str, ...]:
    """The different names of classes, by size where all are numbers, else by alphabet."""
    found = {*names}
    numbers = all(NUMBER.fullmatch(name) for name in found)
    return tuple(sorted(found, key=lambda name: (float(name) if numbers else 0, name)))


def _check_values(codes: Labels, values: Any, where: str) -> None:
    if len(values) <= MANY_VALUES:
        return
    fractions = any(isinstance(v, float) and not v.is_integer() for v in values)
    rare = np.mean(np.bincount(codes) < FEW_ROWS)
    if fractions or rare > 0.5:
        raise DataError(
            f"{where} has {len(values)} distinct values in {len(codes)} rows, such as "
            f"{shortened(str(value) for value in values[:3])}: a measurement or an identifier, not "
            "a class. Set data.label to another column, or group the values into classes first."
        )
