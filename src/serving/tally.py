"""The count of a file's predictions, and the bar on the terminal while they are made."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)


@dataclass
class Tally:
    """The result of predicting a file or a folder.

    Attributes:
        class_names: K names.
        truth: what tells the true classes, as a sentence begins; empty where nothing does.
        ignored: columns or files that were not used.
        damaged: pictures that were left out, since they cannot be read.
        counts: of true classes (rows) and predicted ones; the last row is for rows whose class is
            not given or not known, shape (K + 1, K).
        seconds: from the first row to the last, the model being loaded.
    """

    class_names: tuple[str, ...]
    truth: str = ""
    ignored: tuple[str, ...] = ()
    damaged: list[str] = field(default_factory=list)
    counts: NDArray[np.int64] = field(init=False)
    seconds: float = 0.0

    def __post_init__(self) -> None:
        classes = len(self.class_names)
        self.counts = np.zeros((classes + 1, classes), np.int64)
        self._numbers = {name: k for k, name in enumerate(self.class_names)}

    def number_of(self, class_name: str) -> int:
        """The number of a class; K for one that the model does not know."""
        return self._numbers.get(class_name, len(self.class_names))

    def add(self, predicted: pd.Series, true: NDArray[np.int64] | None = None) -> None:
        """Counts rows.

        Args:
            predicted: names of their classes, n of them.
            true: numbers of their classes, K for one that is not known, shape (n,).
        """
        chosen = predicted.map(self._numbers).to_numpy(np.int64)
        if true is None:
            true = np.full(len(chosen), len(self.class_names))
        np.add.at(self.counts, (true, chosen), 1)

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
    """A bar on the terminal that shows the time left; times what it surrounds.

    Args:
        tally: shows how many rows are done, and gets the time taken.
        name: of the file or folder.
        total: how much there is; None where nobody knows.

    Yields:
        Tells how much is done.
    """
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
    started = perf_counter()
    with bar:
        task = bar.add_task(name, total=total, rows=0)
        yield lambda done: bar.update(task, completed=done, rows=tally.rows)
    tally.seconds = perf_counter() - started
