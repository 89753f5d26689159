"""What every program here shares: turns that alternate, rows of ratios, and the command line.

Both sides of a ratio are timed in turn, A B A B, and a ratio is taken within each turn, so that a
machine that others use slows both alike. Numbers are medians with the least and the largest.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

from rich.console import Console
from rich.progress import track

T = TypeVar("T")
HEAD = ("| what | against | ratio: median [min, max] | to reach |", "| --- | --- | --: | --- |")


@dataclass(frozen=True)
class Row:
    """One comparison.

    Attributes:
        what: is measured.
        against: what it is held against.
        ratios: one a turn, `what` divided by `against`.
        to_reach: for people, such as ``<= 1.0``.
    """

    what: str
    against: str
    ratios: tuple[float, ...]
    to_reach: str

    def line(self) -> str:
        """The row of a Markdown table."""
        median, low, high = statistics.median(self.ratios), min(self.ratios), max(self.ratios)
        ratio = f"{median:.3g} [{low:.3g}, {high:.3g}]"
        return f"| {self.what} | {self.against} | {ratio} | {self.to_reach} |"


@dataclass(frozen=True)
class Found:
    """What a program found.

    Attributes:
        rows: its comparisons.
        notes: Markdown below the table: seconds, profiles, what was measured.
    """

    rows: list[Row]
    notes: list[str]

    def markdown(self) -> str:
        """The table, then the notes."""
        table = "\n".join([*HEAD, *(row.line() for row in self.rows)])
        return "\n\n".join([table, *self.notes])


def in_turn(
    title: str, sides: Sequence[Callable[[], float]], rounds: int, *, warm: int = 1
) -> list[list[float]]:
    """Runs every side once a round, each round in the other direction.

    Args:
        title: for the progress bar.
        sides: each does its work and returns what it took, in seconds or another unit.
        rounds: how many count.
        warm: rounds before them that do not.

    Returns:
        For each side its values, one a round.
    """
    taken: list[list[float]] = [[] for _ in sides]
    for number in shown(range(warm + rounds), title):
        order = range(len(sides)) if number % 2 == 0 else reversed(range(len(sides)))
        for side in order:
            value = sides[side]()
            if number >= warm:
                taken[side].append(value)
    return taken


def ratios(these: Sequence[float], those: Sequence[float]) -> tuple[float, ...]:
    """Turn by turn, these divided by those."""
    return tuple(this / that for this, that in zip(these, those, strict=True))


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


def run(
    measure: Callable[[argparse.Namespace], Found],
    about: str,
    rounds: int,
    arguments: Sequence[str] | None = None,
) -> int:
    """The command line of a program.

    Args:
        measure: does the work; its options have `rounds` and `tiny`.
        about: what the program measures.
        rounds: how many turns unless asked for.
        arguments: of the command line; None takes the process's own.
    """
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--rounds", type=_count, default=rounds, help=f"turns (default {rounds})")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all ratios there too")
    parser.add_argument("--tiny", action="store_true", help="a form for tests, of no meaning")
    options = parser.parse_args(arguments)
    found = measure(options)
    if options.json:
        options.json.write_text(json.dumps(asdict(found), indent=1), encoding="utf-8")
    print(found.markdown())
    sys.stdout.flush()
    return 0


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, not {number}")
    return number
