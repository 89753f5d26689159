"""Predicts a file of rows, a chunk at a time."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

from src.data.errors import CellError, DataError
from src.data.parameters import read_delimiter
from src.data.tabular.cells import texts_of
from src.data.tabular.new_rows import name_by_width, new_rows
from src.data.tabular.npz_table import NpzTable
from src.data.tabular.table_file import TableFile, open_table
from src.data.tabular.text_format import TextFormat
from src.data.tabular.text_table import TextTable
from src.saved_model.facts import CLASS, ServingFacts
from src.serving.answer_file import answer_file
from src.serving.columns import ColumnPlan, plan_columns
from src.serving.find import SavedModel

CHUNK = 16_384
"""Rows in memory at a time, fewer of wide ones."""
CELLS = 4_000_000
"""Cells in memory at a time."""


@dataclass
class Tally:
    """The result of predicting a file.

    Attributes:
        class_names: K names.
        plan: what became of the file's columns.
        counts: of true classes (rows) and predicted ones; the last row is for rows whose class is
            not given or not known, shape (K + 1, K).
        seconds: from the first row to the last, the model being loaded.
    """

    class_names: tuple[str, ...]
    plan: ColumnPlan
    counts: NDArray[np.int64]
    seconds: float = 0.0

    @property
    def rows(self) -> int:
        """Number of rows predicted."""
        return int(self.counts.sum())

    @property
    def labelled(self) -> int:
        """Number of those rows whose given class the model knows."""
        return int(self.counts[:-1].sum())

    @property
    def f1_macro(self) -> float:
        """Macro F1 over the labelled rows, a class never seen nor predicted counting 0."""
        known = self.counts[:-1]
        sums = known.sum(axis=0) + known.sum(axis=1)
        return float((2 * known.diagonal() / np.maximum(sums, 1)).mean())


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
        model: the model.
        rows: the file.
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
    layout = facts.table.layout if facts.table else None
    trained = layout or TextFormat()
    text = replace(
        trained,
        header=trained.header if header is None else header,
        delimiter=delimiter,
        encoding=encoding or trained.encoding,
    )
    with open_table(rows, f"{rows}:", text, trained.delimiter) as file:
        if isinstance(file, TextTable) and not text.header:
            name_by_width(file, layout, facts.columns or file.names)
        plan = _plan(file, facts, keep=keep, ignore_extra=ignore_extra)
        width = len(file.names) or math.prod(facts.input_shape)
        size = max(1, min(CHUNK, CELLS // max(1, width)))
        chunks = new_rows(file, facts.table, size=size, keep=plan.kept)
        first = next(chunks)
        kept = {name: file.type_of(name) for name in plan.kept}
        with answer_file(out, facts, kept) as write:
            classes = len(facts.class_names)
            tally = Tally(facts.class_names, plan, np.zeros((classes + 1, classes), int))
            loaded = loaded or model.load()
            started = perf_counter()
            for chunk, kept_cells in _with_progress(chain([first], chunks), file, rows.name):
                with _named(file.source, before=tally.rows, header=text.header):
                    predicted = dict(loaded.predict(chunk, decision).items())
                _count(tally, chunk, predicted)
                write(kept_cells | predicted)
            tally.seconds = perf_counter() - started
    return tally


def _plan(
    file: TableFile, facts: ServingFacts, *, keep: Sequence[str], ignore_extra: bool
) -> ColumnPlan:
    if isinstance(file, NpzTable):
        right = (len(file.names),) if facts.table else facts.input_shape
        if file.shape[1:] != right:
            wanted = "(columns,)" if facts.table else right
            shape = file.shape[1:]
            raise DataError(
                f"{file.source}: 'x' has rows of shape {shape}; the model takes {wanted}"
            )
        if facts.table is None:
            if keep:
                raise DataError(f"--keep {keep[0]}: {file.source} has an array, without columns")
            return ColumnPlan(None, (), ())
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


def _count(tally: Tally, chunk: Any, predicted: dict[str, Any]) -> None:
    classes = len(tally.class_names)
    number = {name: k for k, name in enumerate(tally.class_names)}
    chosen = predicted[CLASS].map(number).to_numpy(np.int64)
    true = np.full(len(chosen), classes)
    if tally.plan.label:
        codes, texts = texts_of(chunk[tally.plan.label], tally.plan.label)
        true = np.array([*(number.get(text, classes) for text in texts), classes])[codes]
    np.add.at(tally.counts, (true, chosen), 1)


def _with_progress(chunks: Iterator[Any], file: TableFile, name: str) -> Iterator[Any]:
    """The chunks, with a bar on the terminal that shows the time left."""
    console = Console(stderr=True)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        TaskProgressColumn(),
        TextColumn("{task.fields[rows]:,} rows"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    with bar:
        task = bar.add_task(name, total=file.total, rows=0)
        count = 0
        for chunk in chunks:
            yield chunk
            count += len(chunk[0])
            bar.update(task, completed=file.done, rows=count)
