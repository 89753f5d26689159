"""A table as read: its columns, which of them are features, and how it is written."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

import pandas as pd

from src.data.errors import DataError
from src.data.parameters import DELIMITER_NAMES
from src.data.tabular.columns import TableLayout
from src.data.tabular.labels import column_number
from src.data.tabular.number_format import find_formats
from src.data.tabular.parquet_table import ParquetTable
from src.data.tabular.table_file import DELIMITERS, TableFile, open_table
from src.data.tabular.text_format import TextFormat
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
        frame: all of its columns; of a Parquet file, label and features.
        features: names of the columns that are neither label nor left out.
        layout: names of all columns, and how they are written.
        nominal: names of the columns that hold categories as far as the source says so.
        aside: names of the columns that say how rows are split, by their key; they are no features.
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
        """The columns of features: views where nearly all of the table is features."""
        if len(self.features) + len({*self.aside.values()}) < len(self.frame.columns) - 1:
            return self.frame[self.features]  # what is left out shall not stay in memory
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

        Args:
            file: the file.
            source: what it is called in errors.
            text: how it is written, where it is text and as far as it is known.
            label: name or index of the column of classes.
            drop: names or indexes of columns that are no features.
            aside: names or indexes of the columns that say how rows are split, by their key.

        Raises:
            DataError: for a file or a value that cannot be used.
        """
        with open_table(file, f"data.path={source!r}", text) as opened:
            if isinstance(opened, ParquetTable):
                names = opened.names
                target, features, apart = _chosen(names, label, drop, aside or {}, source)
                read = {names[target], *features, *apart.values()}
                wanted = [name for name in names if name in read]
                frame, delimiter = opened.read(LARGEST_TABLE, columns=wanted), None
            else:
                frame, delimiter = _read(opened, source)
                names = [*frame.columns]
                target, features, apart = _chosen(names, label, drop, aside or {}, source)
        _warn_of_row_numbers(
            names, features, source, nameless=text.header and delimiter is not None
        )
        found, signs = _formats(_view(frame, features), source, text, delimiter)
        if delimiter and found.as_text and not text.as_text:
            with open_table(file, f"data.path={source!r}", found) as opened:
                frame, _ = _read(opened, source)
            found, signs = _formats(_view(frame, features), source, found, delimiter)
        usual = DELIMITERS.get(file.suffix.lower())
        found = replace(found, delimiter=None if delimiter == usual else delimiter)
        written = {field.name: getattr(found, field.name) for field in fields(found)}
        layout = TableLayout(columns=tuple(names), label=names[target], signs=signs, **written)
        return cls(frame, features, layout, aside=apart)


def _view(frame: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Some columns, of which no copy is made."""
    return pd.DataFrame({name: frame[name] for name in columns}, index=frame.index, copy=False)


def feature_columns(
    names: Sequence[str], label: str, drop: Sequence[str | int], source: str
) -> list[str]:
    """The columns that are neither label nor left out.

    Args:
        names: of all columns.
        label: the name of one of them.
        drop: names or indexes of those to leave out.
        source: the table, for errors.

    Raises:
        DataError: where there is no such column, or none is left.
    """
    left_out = {names[column_number(wanted, [*names], "data.drop", source)] for wanted in drop}
    features = [name for name in names if name not in {label, *left_out}]
    if not features:
        raise DataError(f"{source}: no column is left for features beside the label {label!r}.")
    return features


def columns_aside(
    names: Sequence[str], label: str, wanted: Mapping[str, str | int], source: str
) -> dict[str, str]:
    """The names of the columns that say how rows are split, by their key.

    Args:
        names: of all columns.
        label: the name of one of them.
        wanted: names or indexes, by `group`, `time` and `split_column`.
        source: the table, for errors.

    Raises:
        DataError: where there is no such column, or it is the label.
    """
    found = {
        key: names[column_number(value, [*names], f"data.{key}", source)]
        for key, value in wanted.items()
    }
    for key, name in found.items():
        if name == label:
            raise DataError(f"{source}: data.{key}={wanted[key]!r} is the label {label!r}.")
    return found


def _chosen(
    names: list[str],
    label: str | int,
    drop: Sequence[str | int],
    aside: Mapping[str, str | int],
    source: str,
) -> tuple[int, list[str], dict[str, str]]:
    """The position of the label, the names of the features, and the columns of the split."""
    target = column_number(label, names, "data.label", source)
    apart = columns_aside(names, names[target], aside, source)
    return target, feature_columns(names, names[target], [*drop, *apart.values()], source), apart


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


def _formats(
    frame: pd.DataFrame, source: str, text: TextFormat, delimiter: str | None
) -> tuple[TextFormat, dict[str, str]]:
    """The format of the text with that of its numbers, and the signs by column."""
    given = {"decimal": text.decimal, "thousands": text.thousands, "delimiter": delimiter}
    numbers, signs = find_formats(frame, source, **given)
    return replace(text, decimal=numbers.decimal, thousands=numbers.thousands), signs


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
