"""The count of a file's predictions, and the bar on the terminal while they are made."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import Progress, TextColumn, TimeRemainingColumn


@dataclass
class Tally:
    """The result of predicting a file or a folder.

    Attributes:
        class_names: K names.
        counted: what is predicted: rows or pictures.
        truth: the beginning of a sentence on where the true classes stand; empty where nowhere.
        ignored: columns or files that were not used.
        damaged: pictures that were left out, since they cannot be read.
        counts: of true classes (rows) and predicted ones; the last row is for rows whose class is
            not given or not known, shape (K + 1, K).
        seconds: from the first row to the last, the model being loaded.
    """

    class_names: tuple[str, ...]
    counted: str = "rows"
    truth: str = ""
    ignored: tuple[str, ...] = ()
    damaged: list[str] = field(default_factory=list)
    counts: NDArray[np.int64] = field(init=False)
    seconds: float = 0.0

    def __post_init__(self) -> None:
        classes = len(self.class_names)
        self.counts = np.zeros((classes + 1, classes), np.int64)

    def numbers_of(self, names: Sequence[str] | pd.Series) -> NDArray[np.int64]:
        """The numbers of n classes, -1 for one that the model does not know, shape (n,)."""
        return np.asarray(pd.Index(self.class_names, dtype=object).get_indexer(names), np.int64)

    def add(self, predicted: pd.Series, true: NDArray[np.int64] | None) -> None:
        """Counts n rows by the names of their predicted classes and the numbers of their true ones.

        Args:
            predicted: shape (n,).
            true: shape (n,), -1 for one that is not known; None where none is.
        """
        chosen = self.numbers_of(predicted)
        np.add.at(self.counts, (np.full_like(chosen, -1) if true is None else true, chosen), 1)

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


@contextmanager
def progress(tally: Tally, name: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """A bar on the terminal that shows rows done and time left; the tally gets the time taken.

    Args:
        tally: of the rows done.
        name: of the file or folder.
        total: how much there is; None where nobody knows.

    Yields:
        Tells how much is done.
    """
    console = Console(stderr=True)
    bar = Progress(
        *Progress.get_default_columns()[:3],
        TextColumn(f"{{task.fields[rows]:,}} {tally.counted}"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    started = perf_counter()
    with bar:
        task = bar.add_task(name, total=total, rows=0)
        yield lambda done: bar.update(task, completed=done, rows=tally.rows)
    tally.seconds = perf_counter() - started
