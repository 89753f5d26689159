"""A sweep of ten seeds with and without tracking, and where its time goes."""

from __future__ import annotations

import argparse
import signal
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial
from itertools import count
from types import FrameType
from typing import Any

from benchmarks.timing import typed
from benchmarks.timing.measure import Found, Row, in_turn, run, seconds

MINUTES = 2
RUNS = 10
TINY = ("training.epochs=2", "data.n_samples=400", "data.minority_fraction=0.2")
PERIOD = 0.001
"""Seconds between two looks at what the process is doing."""
SHOWN = 0.02
"""Share of the time from which a module has a row of its own."""
SOURCE = f"{typed.ROOT}/src/"
ELSEWHERE = "Hydra, and all else"

Taken = dict[str, float]


def measure(options: argparse.Namespace) -> Found:
    """Trains with and without a store, in turn; the tracked sweeps are looked at as they go."""
    runs, words = (2, TINY) if options.tiny else (RUNS, ())
    typed.start()
    with tempfile.TemporaryDirectory() as folder:
        numbers = count()

        def sweep(*more: str) -> None:
            number = next(numbers)
            paths = (f"hydra.sweep.dir={folder}/{number}", f"tracking.root={folder}/store")
            seeds = f"seed=range({number * runs},{(number + 1) * runs})"
            typed.train("-m", seeds, *paths, *words, *more)

        def without() -> float:
            return seconds(partial(sweep, "tracking=none"))

        sides: list[Callable[[], Any]] = [partial(by_module, sweep), without]
        modules, untracked = in_turn("tracking", sides, options)
    whole = tuple(sum(taken.values()) for taken in modules)
    inside = tuple(
        sum(value for name, value in taken.items() if name.startswith("tracking/"))
        for taken in modules
    )
    rows = [
        Row(f"a tracked sweep of {runs} runs", "with `tracking=none`", whole, untracked),
        Row("within `src/tracking`, MLflow included", "that sweep", inside, whole),
    ]
    return Found(rows, [_table(modules)])


def by_module(work: Callable[[], None]) -> Taken:
    """Seconds spent in each module of ``src``, with all that it calls of other libraries.

    A timer interrupts the work; the time since the last interruption belongs to the innermost
    function of ``src`` on the stack.
    """
    taken: Taken = defaultdict(float)
    last = time.perf_counter()

    def look(number: int, frame: FrameType | None) -> None:
        nonlocal last
        now = time.perf_counter()
        taken[_module(frame)] += now - last
        last = now

    before = signal.signal(signal.SIGALRM, look)
    signal.setitimer(signal.ITIMER_REAL, PERIOD, PERIOD)
    try:
        work()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    return dict(taken)


def _module(frame: FrameType | None) -> str:
    while frame is not None:
        _, found, module = frame.f_code.co_filename.partition(SOURCE)
        if found and "/" in module:
            return module.removesuffix(".py")
        frame = frame.f_back
    return ELSEWHERE


def _table(found: Sequence[Taken]) -> str:
    """Median shares of the whole, the largest first."""
    shares = {
        name: statistics.median(taken.get(name, 0.0) / sum(taken.values()) for taken in found)
        for name in {name for taken in found for name in taken}
    }
    lines = ["| where the time of the tracked sweep goes | share |", "| --- | --: |"]
    for name, share in sorted(shares.items(), key=lambda entry: -entry[1]):
        if share >= SHOWN:
            lines.append(f"| {name} | {share:.0%} |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the table."""
    return run(measure, __doc__ or "", 3, arguments)


if __name__ == "__main__":
    raise SystemExit(main())
