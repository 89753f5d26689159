"""Reads rows to predict, cell by cell as training read them, a chunk at a time."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from src.data.errors import CellError, DataError, shortened
from src.data.tabular.columns import TableLayout, TablePreprocessing
from src.data.tabular.table_file import TableFile
from src.data.tabular.text_table import TextTable


def new_rows(
    file: TableFile,
    table: TablePreprocessing | None,
    *,
    size: int | None = None,
    as_text: Collection[str] = (),
) -> Iterator[Any]:
    """The rows of an open table.

    A text's column of categories is read as text, whatever it looks like in the chunk at hand; a
    column of numbers is left to pandas, as in training.

    Args:
        file: the table.
        table: of the model; None where it was trained on arrays.
        size: rows of a chunk; None reads all at once.
        as_text: more columns that a text file is to give as they are written.

    Yields:
        Tables with named columns, all of the file's, or arrays where `table` is None.

    Raises:
        DataError: for a file that is no table, or a cell of a text that should be a number.
    """
    before = 0
    for chunk in file.chunks(size, {*as_text, *(table.categorical if table else ())}):
        if table and isinstance(chunk, np.ndarray):
            yield pd.DataFrame(chunk, columns=file.names)
            continue
        if table and isinstance(file, TextTable):
            _check_numbers(chunk, table, file.source, before)
        yield chunk
        before += len(chunk)


def name_by_width(file: TextTable, layout: TableLayout | None, used: Collection[str]) -> None:
    """Names the columns of a file without any, from how many there are.

    It may have all columns of the file trained on, or lack the label, or what training left out.

    Args:
        file: the table.
        layout: of the file trained on; None where the model was trained on arrays.
        used: names of the columns that the model takes.

    Raises:
        DataError: where the number fits none, or two of these.
    """
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


def _check_numbers(
    chunk: pd.DataFrame, table: TablePreprocessing, source: str, before: int
) -> None:
    """Finds the cell that made pandas read a column of numbers as text."""
    for name in table.numeric:
        if name not in chunk or pd.api.types.is_numeric_dtype(chunk[name]):
            continue
        numbers = pd.to_numeric(chunk[name], errors="coerce")
        wrong = (numbers.isna() & chunk[name].notna()).to_numpy()
        if wrong.any():
            row = int(wrong.argmax())
            cell = CellError(before + row, name, f"{chunk[name].iloc[row]!r} is no number")
            raise DataError(f"{source}: {cell}")
