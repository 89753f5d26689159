"""Where the time of a piece of work goes, by module of ``src``."""

from __future__ import annotations

import signal
import time
from collections import defaultdict
from collections.abc import Callable
from types import FrameType

from benchmarks.timing.typed import ROOT

PERIOD = 0.001
"""Seconds between two looks at what the process is doing."""
SHOWN = 0.03
"""Share of the time from which a module has a row of its own."""
SOURCE = f"{ROOT}/src/"
ELSEWHERE = "Hydra, and all else"


def by_module(work: Callable[[], None]) -> dict[str, float]:
    """Seconds spent in each module of ``src``, with all that it calls of other libraries.

    A timer interrupts the work; the time since the last interruption belongs to the innermost
    function of ``src`` on the stack.
    """
    taken: dict[str, float] = defaultdict(float)
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


def sentence(taken: dict[str, float]) -> str:
    """The modules with the largest shares, in one sentence."""
    whole = sum(taken.values())
    largest = sorted(taken.items(), key=lambda entry: -entry[1])
    return ", ".join(
        f"{name} {value / whole:.0%}" for name, value in largest if value >= SHOWN * whole
    )
