"""Joins the further files of a table, which hold its validation and test rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pandas as pd

from src.data.dataset import SPLITS
from src.data.errors import DataError, shortened
from src.data.splitting.marks import refuse_gaps
from src.data.tabular.limits import refuse_large
from src.data.tabular.npz_table import NpzTable
from src.data.tabular.parquet_table import ParquetTable
from src.data.tabular.raw_table import LARGEST_TABLE, RawTable
from src.data.tabular.table_file import open_table
from src.data.tabular.text_format import TextFormat
from src.errors import close_match, override

PART = "the file that a row is in"
"""Name of the column of splits that is added to the joined table."""


def join_files(
    table: RawTable, path: str, further: Mapping[str, str], text: TextFormat
) -> RawTable:
    """The rows of several files as one table, with a column that names the split of each.

    The first file is read already, from `path`; the paths of the further ones are given by their
    keys, `test_path` and `val_path`.

    Raises:
        DataError: for a file that cannot be used, or that has other columns than the first.
    """
    layout = table.layout
    wanted = [name for name in table.frame if name in {*_used(table)}]
    text = replace(text, decimal=layout.decimal, thousands=layout.thousands)
    frames = {SPLITS[0]: table.frame[wanted]}
    for key, typed in further.items():
        given, file = f"data.{key}={typed!r}", Path(typed).expanduser()
        if file.exists() and file.samefile(Path(path).expanduser()):
            raise DataError(
                f"{given} is the file of data.path itself; right is one with other rows."
            )
        frames[key.removesuffix("_path")] = _read(file, given, table, wanted, text)
    rows = sum(map(len, frames.values()))
    refuse_large(rows, len(wanted), LARGEST_TABLE, " and ".join([path, *further.values()]))
    joined = pd.concat(frames.values(), ignore_index=True)
    parts = [part for part, frame in frames.items() for _ in range(len(frame))]
    joined[PART] = pd.Categorical(parts, SPLITS)
    aside, sizes = {**table.aside, "split_column": PART}, tuple(map(len, frames.values()))
    return replace(table, frame=joined, aside=aside, file_sizes=sizes)


def _used(table: RawTable) -> list[str]:
    return [table.layout.label, *table.features, *table.aside.values()]


def _read(
    file: Path, given: str, table: RawTable, wanted: list[str], text: TextFormat
) -> pd.DataFrame:
    """The wanted columns of a file, of the same kinds as in the first."""
    first = table.frame
    numeric = {name for name in wanted if pd.api.types.is_numeric_dtype(first[name])}
    with open_table(file, given, text) as opened:
        if isinstance(opened, ParquetTable):
            _check_columns(opened.names, given, table, named=True)
            frame = opened.read(LARGEST_TABLE, columns=wanted)
        elif isinstance(opened, NpzTable):
            frame = opened.read(LARGEST_TABLE)
            _check_columns([*frame.columns], given, table, named=False)
        else:
            _check_columns(opened.names, given, table, named=text.header)
            frame = opened.read(LARGEST_TABLE, as_text={*wanted} - numeric)
    for name in (table.layout.label, *table.aside.values()):
        refuse_gaps(frame[name], f"{given}: column {name!r}")
    for name in numeric:
        if not pd.api.types.is_numeric_dtype(frame[name]) and not frame[name].isna().all():
            cells = frame[name].dropna()
            odd = cells[pd.to_numeric(cells, errors="coerce").isna()]
            cell = (odd if len(odd) else cells).iloc[0]
            raise DataError(
                f"{given}: column {name!r} holds {cell!r}, where data.path has "
                "numbers or true and false alone; write it alike in both, or leave the column out "
                f"with {override('data.drop', [name])}."
            )
    return frame[wanted]


def _check_columns(names: list[str], given: str, table: RawTable, *, named: bool) -> None:
    """Refuses a file that lacks a column of the first file that is used."""
    layout = table.layout
    absent = [name for name in _used(table) if name not in names]
    more = [name for name in names if name not in layout.columns]
    if not absent and (named or not more):
        return
    if not named:
        raise DataError(
            f"{given} has {len(names)} columns and data.path {len(layout.columns)}; without names "
            "of columns there must be as many."
        )
    besides = f"; besides it has {shortened(more, 6)}" if more else ""
    unlabelled = (
        " Rows without a label cannot be the test: leave the file out and predict it afterwards, "
        "with python -m src.predict."
        if layout.label in absent and len(absent) == 1
        else close_match(absent[0], more)
    )
    raise DataError(
        f"{given} has no column {shortened(absent, 6)}, as data.path has{besides}.{unlabelled}"
    )
