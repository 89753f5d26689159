"""Reads rows to predict, a chunk at a time, each cell as training would have read it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from itertools import product
from typing import Any

import pandas as pd

from src.data.errors import CellError, DataError, shortened
from src.data.tabular.cells import numbers_of
from src.data.tabular.columns import TableLayout, TablePreprocessing
from src.data.tabular.number_format import PLAIN
from src.data.tabular.table_file import TableFile
from src.data.tabular.text_table import TextTable


def new_rows(
    file: TableFile,
    table: TablePreprocessing | None,
    *,
    size: int | None = None,
    keep: Collection[str] = (),
) -> Iterator[tuple[Any, dict[str, pd.Series]]]:
    """The rows of an open table.

    A column of categories is read as text, even if a chunk holds nothing but numbers; a column of
    numbers as it was written in training.

    Args:
        file: the table.
        table: of the model; None where it was trained on arrays.
        size: rows of a chunk; None reads all at once.
        keep: names of columns that are also wanted as they are written.

    Yields:
        A table of all columns, or an array where `table` is None, and the columns to keep.

    Raises:
        DataError: for a file that is no table, or a cell of a text that should be a number.
    """
    before = 0
    for chunk in file.chunks(size, {*keep, *(table.categorical if table else ())}):
        rows = pd.DataFrame(chunk, columns=file.names) if table and file.names else chunk
        kept = {name: rows[name] for name in keep}
        if table and isinstance(file, TextTable):
            rows = _with_numbers(rows, table, file.source, before)
        yield rows, kept
        before += len(rows)


def name_by_width(file: TextTable, layout: TableLayout | None, used: Collection[str]) -> None:
    """Names the columns of a file without any, from how many there are.

    The file may lack the label, or the columns that training left out, or both. A first row with
    all names of the columns used is taken for a row of names.

    Args:
        file: the table.
        layout: of the file trained on; None where the model was trained on arrays.
        used: names of the columns that the model takes.

    Raises:
        DataError: where the number fits none, or two of these.
    """
    if {*used} <= {*file.first_row}:
        file.text = replace(file.text, header=True)
        return
    width = len(file.names)
    layouts = _layouts(layout, list(used))
    fitting = {tuple(names) for names in layouts if len(names) == width}
    if len(fitting) == 1:
        file.rename(fitting.pop())
        return
    if fitting:
        raise DataError(
            f"{file.source}: has {width} columns and no names, which could be either "
            f"{' or '.join(shortened(names) for names in sorted(fitting))}; give it a row of names."
        )
    sizes = " or ".join(map(str, sorted({len(names) for names in layouts})))
    label = f" with the label {layout.label!r}" if layout else ""
    raise DataError(
        f"{file.source}: has {width} columns; the model was trained on {len(used)}: "
        f"{shortened(used)}. Without names, right are {sizes} columns{label}."
    )


def _layouts(layout: TableLayout | None, used: list[str]) -> list[list[str]]:
    """The columns with and without the label, with and without those that training left out."""
    if layout is None:
        return [used]
    return [
        [
            name
            for name in layout.columns
            if (labelled or name != layout.label) and (every or name in {*used, layout.label})
        ]
        for labelled, every in product((True, False), repeat=2)
    ]


def _with_numbers(
    chunk: pd.DataFrame, table: TablePreprocessing, source: str, before: int
) -> pd.DataFrame:
    """The chunk of a text with its columns of numbers read as such."""
    read = {}
    for name in table.numeric:
        if name in chunk and not pd.api.types.is_numeric_dtype(chunk[name]):
            try:
                read[name] = numbers_of(chunk[name], name, table.written(name) or PLAIN)
            except CellError as error:
                cell = CellError(before + error.row, error.column, error.reason)
                raise DataError(f"{source}: {cell}") from error
    return chunk.assign(**read) if read else chunk
