"""Shared by every program here: turns that alternate, and rows of ratios.

Both sides of a ratio are timed in turn, A B A B, and a ratio is taken within each turn, so that
other work on the machine slows both alike. Figures are medians with the least and the largest.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from rich.console import Console
from rich.progress import track

T = TypeVar("T")
HEAD = (
    "| what | median | against | median | ratio: median [min, max] | to reach |",
    "| --- | --: | --- | --: | --: | --- |",
)


@dataclass(frozen=True)
class Row:
    """One comparison.

    Attributes:
        what: is measured.
        against: what it is compared with.
        mine: values of ``what``, one per turn.
        other: values of ``against``, one per turn.
        to_reach: for people, such as ``<= 1.0``; empty where nothing is asked for.
        unit: ``s`` or ``MiB``.
    """

    what: str
    against: str
    mine: tuple[float, ...]
    other: tuple[float, ...]
    to_reach: str = ""
    unit: str = "s"

    @property
    def ratios(self) -> list[float]:
        """Turn by turn."""
        return [this / that for this, that in zip(self.mine, self.other, strict=True)]

    def line(self) -> str:
        """The row of a Markdown table."""
        found = self.ratios
        ratio = f"{statistics.median(found):.3g} [{min(found):.3g}, {max(found):.3g}]"
        mine, other = (_shown(statistics.median(side), self.unit) for side in self._sides)
        return f"| {self.what} | {mine} | {self.against} | {other} | {ratio} | {self.to_reach} |"

    @property
    def _sides(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        return self.mine, self.other


@dataclass(frozen=True)
class Found:
    """The findings of a program.

    Attributes:
        rows: its comparisons; none where there is nothing to measure on.
        notes: Markdown below the table: what was measured, and how.
    """

    rows: list[Row]
    notes: list[str]

    def markdown(self) -> str:
        """The table, then the notes."""
        table = ["\n".join([*HEAD, *(row.line() for row in self.rows)])] if self.rows else []
        return "\n\n".join([*table, *self.notes])


def in_turn(
    title: str,
    sides: Sequence[Callable[[], T]],
    options: argparse.Namespace,
    *,
    warm: int = 1,
    most: int | None = None,
) -> list[tuple[T, ...]]:
    """Runs every side once a round, each round in the other direction.

    Args:
        title: for the progress bar.
        sides: each does its work and returns what it took.
        options: of the command line: how many rounds count.
        warm: rounds before them that do not; none in a tiny form.
        most: rounds at most, for work that takes minutes; None has no bound.

    Returns:
        For each side its values, one per round.
    """
    taken: list[list[T]] = [[] for _ in sides]
    warm = 0 if options.tiny else warm
    rounds = min(options.rounds, most or options.rounds)
    for number in shown(range(warm + rounds), title):
        order = list(range(len(sides)))
        for side in order if number % 2 == 0 else reversed(order):
            value = sides[side]()
            if number >= warm:
                taken[side].append(value)
    return [tuple(values) for values in taken]


def seconds(work: Callable[[], object]) -> float:
    """Wall time of a piece of work, without Python's garbage collection."""
    gc.disable()
    begun = time.perf_counter()
    try:
        work()
        return time.perf_counter() - begun
    finally:
        gc.enable()


def shown(items: Iterable[T], title: str, total: int | None = None) -> Iterable[T]:
    """The items, with a bar and the time left on a terminal.

    Args:
        items: gone through once.
        title: stands before the bar.
        total: how many; None where the items know.
    """
    console = Console(stderr=True)
    hidden = not console.is_terminal
    return track(items, title, total, console=console, transient=True, disable=hidden)


def _shown(value: float, unit: str) -> str:
    """``1.12 ms`` for 0.00112 seconds."""
    if unit != "s" or value >= 1:
        return f"{value:.3g} {unit}"
    return f"{1e3 * value:.3g} ms" if value >= 1e-3 else f"{1e6 * value:.3g} µs"
