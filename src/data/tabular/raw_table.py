"""A table as read: its columns, which of them are features, and how it is written."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import pandas as pd

from src.data.errors import DataError
from src.data.tabular.columns import TableLayout
from src.data.tabular.labels import column_name
from src.data.tabular.number_format import find_formats
from src.data.tabular.parquet_table import ParquetTable
from src.data.tabular.table_file import DELIMITERS, TableFile, open_table
from src.data.tabular.text_format import DELIMITER_NAMES, TextFormat
from src.data.tabular.text_table import TextTable
from src.errors import override

LARGEST_TABLE = 500_000_000
"""Cells that fit in about 4 GiB; a compressed file can promise far more than it weighs."""
ROW_NUMBER = re.compile(r"Unnamed: \d+(\.\d+)*|__index_level_\d+__")
"""Names that pandas gives a column of row numbers."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class RawTable:
    """A table as read.

    Attributes:
        frame: all of its columns; of a Parquet file, only those that are used.
        features: names of the columns that are features.
        layout: names of all columns, and how they are written.
        nominal: names of the columns that the source declares as categories.
        aside: names of the columns about the split, by their key; they are no features.
        file_sizes: rows of each file, where there are several.
    """

    frame: pd.DataFrame
    features: list[str]
    layout: TableLayout
    nominal: frozenset[str] = frozenset()
    aside: Mapping[str, str] = field(default_factory=dict)
    file_sizes: tuple[int, ...] = ()

    @property
    def feature_frame(self) -> pd.DataFrame:
        """The columns of features: views, unless that would keep unused columns in memory."""
        if len(self.features) + len({*self.aside.values()}) < len(self.frame.columns) - 1:
            return self.frame[self.features]
        return _view(self.frame, self.features)

    @classmethod
    def read(
        cls,
        file: Path,
        source: str,
        text: TextFormat,
        *,
        label: str | int,
        drop: Sequence[str | int] = (),
        aside: Mapping[str, str | int] | None = None,
    ) -> RawTable:
        """Reads a file, twice where its numbers turn out to be written with commas.

        `source` names it in errors. `label`, `drop` and `aside` choose columns as in
        :func:`choose_columns`.

        Raises:
            DataError: for a file or a value that cannot be used.
        """
        given, chosen = f"data.path={source!r}", partial(choose_columns, source=source)
        with open_table(file, given, text) as opened:
            if isinstance(opened, ParquetTable):
                names, delimiter = opened.names, None
                target, features, apart = chosen(names, label, drop, aside or {})
                read = {target, *features, *apart.values()}
                wanted = [name for name in names if name in read]
                frame = opened.read(LARGEST_TABLE, columns=wanted)
            else:
                frame, delimiter = _read(opened, source)
                names = [*frame.columns]
                target, features, apart = chosen(names, label, drop, aside or {})
        _warn_of_row_numbers(
            names, features, source, nameless=text.header and delimiter is not None
        )
        found, signs = find_formats(_view(frame, features), source, text, delimiter)
        if delimiter and found.as_text and not text.as_text:
            with open_table(file, given, found) as opened:
                frame, _ = _read(opened, source)
            found, signs = find_formats(_view(frame, features), source, found, delimiter)
        usual = DELIMITERS.get(file.suffix.lower())
        found = replace(found, delimiter=None if delimiter == usual else delimiter)
        layout = TableLayout(columns=tuple(names), label=target, signs=signs, **vars(found))
        return cls(frame, features, layout, aside=apart)


def _view(frame: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Some columns, of which no copy is made."""
    return pd.DataFrame({name: frame[name] for name in columns}, index=frame.index, copy=False)


def choose_columns(
    names: Sequence[str],
    label: str | int,
    drop: Sequence[str | int],
    aside: Mapping[str, str | int],
    source: str,
) -> tuple[str, list[str], dict[str, str]]:
    """The names of the label, of the features, and of the columns about the split by their key.

    Args:
        names: of all columns.
        label: name or index of the column of classes.
        drop: names or indexes of columns that are no features.
        aside: names or indexes of the columns about the split, by their key.
        source: the table, for errors.

    Raises:
        DataError: where there is no such column, the label is one about the split, or no column is
            left for features.
    """
    target = column_name(label, names, "data.label", source)
    apart = {key: column_name(one, names, f"data.{key}", source) for key, one in aside.items()}
    for key, name in apart.items():
        if name == target:
            raise DataError(f"{source}: data.{key}={aside[key]!r} is the label {target!r}.")
    dropped = {column_name(one, names, "data.drop", source) for one in drop}
    features = [name for name in names if name not in {target, *apart.values(), *dropped}]
    if not features:
        raise DataError(f"{source}: no column is left for features beside the label {target!r}.")
    return target, features, apart


def _read(opened: TableFile, source: str) -> tuple[pd.DataFrame, str | None]:
    """The rows, and the character between the cells of a text."""
    frame = opened.read(LARGEST_TABLE)
    delimiter = opened.delimiter if isinstance(opened, TextTable) else None
    frame.columns = pd.Index([str(name) for name in frame.columns])
    name = frame.columns[0]
    marks = [word for word, mark in DELIMITER_NAMES.items() if mark in name]
    if len(frame.columns) == 1 and marks:
        raise DataError(
            f"{source}: has one column, named {name!r}; if its cells are separated by a "
            f"{marks[0]}, set {override('data.delimiter', marks[0])}."
        )
    return frame, delimiter


def _warn_of_row_numbers(
    names: list[str], features: list[str], source: str, *, nameless: bool
) -> None:
    suspects = [
        i
        for i, name in enumerate(names)
        if name in features and (ROW_NUMBER.fullmatch(name) or (nameless and name == f"column_{i}"))
    ]
    if suspects:
        logger.warning(
            "%s: column %s has no name of its own; if it is a row number, which can give the label "
            "away, leave it out with %s",
            source,
            ", ".join(repr(names[i]) for i in suspects),
            override("data.drop", suspects),
        )
