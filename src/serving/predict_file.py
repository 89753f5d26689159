"""Predicts a file of rows, a chunk at a time."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

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
from src.data.parameters import check_delimiter
from src.data.tabular.cells import texts_of
from src.data.tabular.new_rows import name_by_width, new_rows
from src.data.tabular.npz_table import NpzTable
from src.data.tabular.table_file import TableFile, open_table
from src.data.tabular.text_table import TextTable
from src.saved_model.facts import CLASS, ServingFacts
from src.serving.answer_file import AnswerFile
from src.serving.columns import ColumnPlan, plan_columns
from src.serving.find import SavedModel

if TYPE_CHECKING:
    from src.saved_model.predictor import Predictor

CHUNK = 16_384
"""Rows in memory at a time."""


@dataclass(frozen=True)
class Order:
    """What is to be predicted, and how.

    Attributes:
        rows: the file.
        out: where the answer goes.
        decision: `tuned` or `argmax`.
        keep: columns of the file that go into the answer.
        ignore_extra: whether columns that training did not know may be there.
        header: whether the first row of a text file holds names; None: as in training.
        delimiter: one character between the cells of a text file; None takes it from the suffix.
    """

    rows: Path
    out: Path
    decision: str
    keep: tuple[str, ...] = ()
    ignore_extra: bool = False
    header: bool | None = None
    delimiter: str | None = None


@dataclass
class Tally:
    """What was predicted.

    Attributes:
        plan: what became of the file's columns.
        counts: of true classes (rows) and predicted ones; the last row is for rows whose class is
            not given or not known, shape (K + 1, K).
        seconds: from the first row to the last, the model being loaded.
    """

    plan: ColumnPlan
    counts: NDArray[np.int64]
    seconds: float = 0.0

    @property
    def rows(self) -> int:
        """How many rows were predicted."""
        return int(self.counts.sum())

    @property
    def labelled(self) -> int:
        """How many of them had a class that the model knows."""
        return int(self.counts[:-1].sum())

    @property
    def f1_macro(self) -> float:
        """Macro F1 over the labelled rows, a class never seen nor predicted counting 0."""
        known = self.counts[:-1]
        sums = known.sum(axis=0) + known.sum(axis=1)
        return float((2 * known.diagonal() / np.maximum(sums, 1)).mean())


def predict_file(model: SavedModel, order: Order) -> Tally:
    """Predicts every row of a file; the answer appears when it is whole.

    The file's first rows are read, and its columns checked, before TensorFlow is imported.

    Args:
        model: the model.
        order: what is to be done.

    Raises:
        UserError: for a file or a value that cannot be used; names row and column.
    """
    check_delimiter("--delimiter", order.delimiter)
    loaded = None if model.facts else model.load()
    facts = model.facts or loaded.facts  # type: ignore[union-attr]
    layout = facts.table.layout if facts.table else None
    header = order.header if order.header is not None else (layout is None or layout.header)
    source = str(order.rows)
    with open_table(order.rows, f"{source}:", header=header, delimiter=order.delimiter) as file:
        if isinstance(file, TextTable) and not header:
            name_by_width(file, layout, facts.columns or file.names)
        plan = _plan(file, facts, order)
        chunks = new_rows(file, source, facts.table, size=CHUNK, as_text=plan.kept)
        first = next(chunks)
        kept = {name: file.type_of(name) for name in plan.kept}
        with AnswerFile(order.out, facts, kept) as answer:
            tally = Tally(plan, np.zeros((len(facts.class_names) + 1, len(facts.class_names)), int))
            loaded = loaded or model.load()
            started = perf_counter()
            for chunk in _with_progress(chain([first], chunks), file, order):
                predicted = _predicted(loaded, chunk, order, header, before=tally.rows)
                _count(tally, chunk, predicted, facts)
                answer.write({name: chunk[name] for name in plan.kept} | predicted)
            tally.seconds = perf_counter() - started
    return tally


def _plan(file: TableFile, facts: ServingFacts, order: Order) -> ColumnPlan:
    """What becomes of the file's columns, before a row of them is read."""
    source = str(order.rows)
    if isinstance(file, NpzTable):
        right = (len(file.names),) if facts.table else facts.input_shape
        if file.shape[1:] != right:
            wanted = "(columns,)" if facts.table else right
            shape = file.shape[1:]
            raise DataError(f"{source}: 'x' has rows of shape {shape}; the model takes {wanted}")
        if facts.table is None:
            if order.keep:
                raise DataError(f"--keep {order.keep[0]}: {source} has an array, without columns")
            return ColumnPlan(None, (), ())
    return plan_columns(file.names, facts, source, keep=order.keep, ignore_extra=order.ignore_extra)


def _predicted(
    model: "Predictor", chunk: Any, order: Order, header: bool, before: int
) -> dict[str, Any]:
    """The columns of the answer for a chunk."""
    try:
        return dict(model.predict(chunk, order.decision).items())
    except CellError as error:
        found = error.shifted(before)
        hint = ""
        if found.row == 0 and not header:
            hint = "; if the first row holds the columns' names, say --header"
        raise DataError(f"{order.rows}: {found}{hint}") from error
    except DataError as error:
        raise DataError(f"{order.rows}: {error}") from error


def _count(tally: Tally, chunk: Any, predicted: dict[str, Any], facts: ServingFacts) -> None:
    classes = len(facts.class_names)
    number = {name: k for k, name in enumerate(facts.class_names)}
    chosen = predicted[CLASS].map(number).to_numpy(np.int64)
    true = np.full(len(chosen), classes)
    if tally.plan.label:
        codes, texts = texts_of(chunk[tally.plan.label], tally.plan.label)
        true = np.array([*(number.get(text, classes) for text in texts), classes])[codes]
    np.add.at(tally.counts, (true, chosen), 1)


def _with_progress(chunks: Iterator[Any], file: TableFile, order: Order) -> Iterator[Any]:
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
        task = bar.add_task(order.rows.name, total=file.total, rows=0)
        count = 0
        for chunk in chunks:
            yield chunk
            count += len(chunk)
            bar.update(task, completed=file.done, rows=count)
