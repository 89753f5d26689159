"""Predicts a file of rows, a chunk at a time."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from src.data.errors import CellError, DataError
from src.data.rows_at_once import IMAGE_DIMENSIONS
from src.data.tabular.cells import texts_of
from src.data.tabular.new_rows import name_by_width, new_rows
from src.data.tabular.npz_table import NpzTable, splits_in
from src.data.tabular.table_file import TableFile, open_table
from src.data.tabular.text_format import TextFormat, read_delimiter
from src.data.tabular.text_table import TextTable
from src.saved_model.facts import CLASS, ServingFacts
from src.serving.answer_file import answer_file
from src.serving.columns import plan_columns
from src.serving.find import SavedModel
from src.serving.tally import Tally, progress

CHUNK = 16_384
"""Rows in memory at a time, fewer of wide ones."""
CELLS = 4_000_000
"""Cells in memory at a time."""


def predict_file(
    model: SavedModel,
    rows: Path,
    out: Path,
    decision: str,
    *,
    keep: Sequence[str] = (),
    ignore_extra: bool = False,
    header: bool | None = None,
    delimiter: str | None = None,
    encoding: str | None = None,
) -> Tally:
    """Predicts every row of a file; the answer appears when it is whole.

    The file's first rows are read, and its columns checked, before TensorFlow is imported.

    Args:
        model: predicts.
        rows: the file; of arrays `x`, or `x_test` where they are split as Keras's data sets are.
        out: where the answer goes.
        decision: one of ``DECISIONS``.
        keep: columns of the file that go into the answer.
        ignore_extra: whether columns that training did not know may be there.
        header: whether the first row of a text file holds names; None: as in training.
        delimiter: one character between the cells of a text file; None: as in training.
        encoding: of a text file; None: as in training.

    Raises:
        UserError: for a file or a value that cannot be used; names row and column.
    """
    delimiter = read_delimiter("--delimiter", delimiter)
    loaded = None if model.facts else model.load()
    facts = model.facts or loaded.facts  # type: ignore[union-attr]
    if facts.images and rows.suffix.lower() != ".npz":
        raise DataError(
            f"{rows}: {model.title} takes pictures: a folder of PNG, JPEG, BMP or GIF files, one "
            "of them, or an NPZ file with their pixels in the array 'x' or 'x_test'"
        )
    layout = facts.table.layout if facts.table else None
    trained = layout or TextFormat()
    text = replace(
        trained,
        header=trained.header if header is None else header,
        delimiter=delimiter,
        encoding=encoding or trained.encoding,
    )
    splits = splits_in(rows) if facts.table is None else ("",)
    with open_table(rows, f"{rows}:", text, trained.delimiter, splits[-1]) as file:
        if isinstance(file, TextTable) and not text.header:
            name_by_width(file, layout, facts.columns or file.names)
        label, ignored = _plan(file, facts, keep=keep, ignore_extra=ignore_extra)
        ignored += tuple(f"x_{split}" for split in splits[:-1])
        width = len(file.names) or math.prod(facts.input_shape)
        size = max(1, min(CHUNK, CELLS // max(1, width)))
        chunks = new_rows(file, facts.table, size=size, keep=keep)
        first = next(chunks)
        kept = {name: file.type_of(name) for name in keep}
        truth = f"The column {label!r} is the label" if label else ""
        counted = "pictures" if len(facts.input_shape) == IMAGE_DIMENSIONS else "rows"
        tally = Tally(facts.class_names, counted, truth, ignored)
        with answer_file(out, facts, kept) as write:
            loaded = loaded or model.load()
            with progress(tally, rows.name, file.total) as show:
                for chunk, kept_cells in chain([first], chunks):
                    with _named(file.source, before=tally.rows, header=text.header):
                        predicted = dict(loaded.predict(chunk, decision).items())
                    tally.add(predicted[CLASS], _true(tally, chunk, label))
                    write(kept_cells | predicted)
                    show(file.done)
    return tally


def _true(tally: Tally, chunk: Any, label: str | None) -> NDArray[np.int64] | None:
    """The numbers of the classes in the column of the label, where there is one."""
    if label is None:
        return None
    codes, texts = texts_of(chunk[label], label)
    return np.append(tally.numbers_of(texts), -1)[codes]


def _plan(
    file: TableFile, facts: ServingFacts, *, keep: Sequence[str], ignore_extra: bool
) -> tuple[str | None, tuple[str, ...]]:
    """As `plan_columns`; the array of an NPZ file is held against the shape of a row, too."""
    if isinstance(file, NpzTable):
        right = (len(file.names),) if facts.table else facts.input_shape
        if file.shape[1:] != right:
            wanted = "(columns,)" if facts.table else right
            shape = file.shape[1:]
            raise DataError(
                f"{file.source}: {file.x!r} has rows of shape {shape}; the model takes {wanted}"
            )
        if facts.table is None:
            if keep:
                raise DataError(f"--keep {keep[0]}: {file.source} has an array, without columns")
            return None, ()
    return plan_columns(file.names, facts, file.source, keep=keep, ignore_extra=ignore_extra)


@contextmanager
def _named(source: str, *, before: int, header: bool) -> Iterator[None]:
    """Errors about a chunk name the file, and the row as it is counted there."""
    try:
        yield
    except CellError as error:
        row = error.row + before
        hint = "; if the first row holds the columns' names, say --header"
        cell = CellError(row, error.column, error.reason)
        raise DataError(f"{source}: {cell}{'' if row or header else hint}") from error
    except DataError as error:
        raise DataError(f"{source}: {error}") from error
