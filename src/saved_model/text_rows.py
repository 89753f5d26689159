"""Reads new rows from CSV text, cell by cell as training read them, a chunk at a time."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, BinaryIO

import pandas as pd

from src.data.errors import CellError, DataError, shortened
from src.data.tabular.columns import TablePreprocessing
from src.data.tabular.layout import TableLayout
from src.data.tabular.text_table import MISSING_MARKS, unquoted
from src.saved_model.facts import ServingFacts

TRUTH = {"true": "True", "TRUE": "True", "false": "False", "FALSE": "False"}
"""What pandas takes for truth values where a whole column holds nothing else."""


def text_chunks(
    stream: BinaryIO,
    source: str,
    facts: ServingFacts,
    *,
    header: bool = True,
    delimiter: str = ",",
    size: int | None = None,
    as_text: Collection[str] = (),
) -> Iterator[pd.DataFrame]:
    """The rows of a text file.

    A column of categories is read as text, whatever it looks like in the chunk at hand; a column of
    numbers is left to pandas, as in training.

    Args:
        stream: UTF-8 text, open for reading bytes, that can go back to its start.
        source: what it is called in errors.
        facts: of the model.
        header: whether the first row holds names.
        delimiter: one character between cells.
        size: rows of a chunk; None reads all at once.
        as_text: more columns that are to come as they are written.

    Yields:
        Tables with named columns, all of the file's.

    Raises:
        DataError: for a file that is no table, or whose number of columns fits no name.
    """
    first = stream.read(65536)
    stream.seek(0)
    if not first.strip():
        raise DataError(f"{source}: is empty.")
    if b"\0" in first:
        raise DataError(f"{source}: is no text file (it has zero bytes).")
    options: dict[str, Any] = {"sep": delimiter, "index_col": False, "skipinitialspace": True}
    options |= {"encoding": "utf-8", "compression": None, "low_memory": False}
    with _errors_name(source):
        cells_as_text = {"dtype": str, "keep_default_na": False, "na_values": []}
        head = pd.read_csv(stream, header=None, nrows=1, **cells_as_text, **options)
    cells = [unquoted(cell) for cell in head.iloc[0]]
    names = header_names(cells, source) if header else names_by_place(len(cells), source, facts)
    stream.seek(0)
    table = facts.table
    text = {*as_text, *(table.categorical if table else ())} & {*names}
    with _errors_name(source):
        parsed = pd.read_csv(
            stream,
            header=0 if header else None,
            names=names,
            dtype=dict.fromkeys(text, str),
            na_values=MISSING_MARKS,
            iterator=True,
            **options,
        )
    before = 0
    while True:
        with _errors_name(source):
            try:
                chunk = parsed.get_chunk(size) if size else parsed.read()
            except StopIteration:
                return
        if table:
            _check_numbers(chunk, table, source, before)
            _write_truth(chunk, table)
        yield chunk
        before += len(chunk)
        if not size:
            return


def read_text_rows(stream: BinaryIO, source: str, facts: ServingFacts) -> pd.DataFrame:
    """All rows of a text with a header: the columns that the model needs, and no other.

    Args:
        stream: UTF-8, cells separated by commas.
        source: what it is called in errors.
        facts: of the model.

    Raises:
        DataError: for text that is no table or lacks a column.
    """
    (frame,) = text_chunks(stream, source, facts)
    if facts.table:
        facts.table.check_columns(frame.columns)
    return frame[list(facts.columns or frame.columns)]


def header_names(cells: Sequence[str], source: str) -> list[str]:
    """Names of the columns from a first row.

    Raises:
        DataError: where they repeat.
    """
    names = [cell or f"column_{i}" for i, cell in enumerate(cells)]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise DataError(f"{source}: column names repeat: {shortened(repeated)}.")
    return names


def names_by_place(width: int, source: str, facts: ServingFacts) -> list[str]:
    """Names of the columns of a file without any, from how many there are.

    It may have all columns of the file trained on, or lack the label, or what training left out.

    Args:
        width: columns in the file.
        source: the file, for errors.
        facts: of the model.

    Raises:
        DataError: where the number fits none, or two of these.
    """
    layout = facts.table.layout if facts.table else None
    used = list(facts.columns or [f"column_{i}" for i in range(width)])
    fitting = {tuple(names) for names in _layouts(layout, used) if len(names) == width}
    if len(fitting) == 1:
        return list(fitting.pop())
    if fitting:
        raise DataError(
            f"{source}: has {width} columns and no names, which could be either "
            f"{' or '.join(shortened(names) for names in sorted(fitting))}; give it a row of names."
        )
    sizes = sorted({len(names) for names in _layouts(layout, used)})
    label = f" with the label {layout.label!r}" if layout else ""
    raise DataError(
        f"{source}: has {width} columns; the model was trained on {len(used)}: {shortened(used)}. "
        f"Without names, right are {' or '.join(map(str, sizes))} columns{label}."
    )


def _layouts(layout: TableLayout | None, used: list[str]) -> list[list[str]]:
    if layout is None:
        return [used]
    kept = {*used}
    every = list(layout.columns)
    return [
        every,
        [name for name in every if name != layout.label],
        [name for name in every if name in kept or name == layout.label],
        [name for name in every if name in kept],
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


def _write_truth(chunk: pd.DataFrame, table: TablePreprocessing) -> None:
    """Truth values as training named them, which saw a whole column of them."""
    for name, known in zip(table.categorical, table.categories, strict=True):
        written = {"true", "TRUE", "false", "FALSE"} & {*known}
        if name in chunk and {"True", "False"} & {*known} and not written:
            chunk[name] = chunk[name].replace(TRUTH)


@contextmanager
def _errors_name(source: str) -> Iterator[None]:
    """Pandas's complaints about a file as errors that name it."""
    try:
        with warnings.catch_warnings():
            # pandas only warns where it drops the cells of rows longer than the header.
            warnings.simplefilter("error", pd.errors.ParserWarning)
            yield
    except UnicodeDecodeError as error:
        raise DataError(f"{source}: is not UTF-8 text ({error}).") from error
    except pd.errors.ParserWarning as error:
        raise DataError(f"{source}: has rows with more cells than its first row.") from error
    except (ValueError, OverflowError) as error:
        reason = str(error).strip().removeprefix("Error tokenizing data. C error: ")
        raise DataError(f"{source}: cannot be read as a table: {reason}.") from error
