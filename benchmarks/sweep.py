"""A tracked sweep of digits, against the same models in Keras by hand.

Each contestant is a process of its own that imports everything before its clock starts; whole
commands are timed as well. ``mlflow.autolog()`` needs tensorboard: its row is left out without it.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.contestants import words_of
from benchmarks.timing.measure import Found, Row, in_turn
from benchmarks.timing.process import Taken, run_process, train
from benchmarks.timing.where import sentence

MINUTES = 3
ROUNDS = 2
SIZES = (4, 20)
"""Runs of a sweep."""
AUTOLOGGED = 2
"""Runs under autologging, which is slow: the time of a sweep is taken from these."""


def measure(options: argparse.Namespace) -> Found:
    """Times all contestants."""
    few, many = (2, 2) if options.tiny else SIZES
    auto = "autologged" if importlib.util.find_spec("tensorboard") else "bare"
    sides: list[Callable[[], Taken]] = [
        partial(_contestant, "tracked", few),
        partial(_contestant, "bare", few),
        partial(_contestant, "tracked", many),
        partial(_contestant, "bare", many),
        partial(_contestant, auto, AUTOLOGGED),
        partial(train, *words_of(many)),
    ]
    found = in_turn("sweeps", sides, options, warm=0)
    short, short_bare, tracked, bare, logged = (
        tuple(_told(taken)[0] for taken in turns) for turns in found[:-1]
    )
    typed, by_hand = (tuple(taken.seconds for taken in found[side]) for side in (-1, 3))
    fit = "the same models by `fit` alone"
    rows = [
        Row(f"tracked sweep of {few} runs, serial", fit, short, short_bare, "<= 0.55"),
        Row(f"tracked sweep of {many} runs, serial", fit, tracked, bare, "<= 0.55"),
        Row(f"{many} runs as they come, whole command", f"{fit}, imports too", typed, by_hand),
    ]
    if auto != "bare":
        scaled = tuple(seconds * many / AUTOLOGGED for seconds in logged)
        against = "the same models under `mlflow.autolog()`"
        rows.append(
            Row(f"tracked sweep of {many} runs, serial", against, tracked, scaled, "<= 0.15")
        )
    where = sentence(_told(found[2][-1])[2])
    return Found(
        rows,
        [
            "Digits, MLP 64-64, 20 epochs, two losses; without imports but for whole commands.",
            f"Of the tracked sweep's time, by module with all that it calls: {where}.",
        ],
    )


def _contestant(name: str, runs: int) -> Taken:
    """A process of its own in an empty folder."""
    with tempfile.TemporaryDirectory() as folder:
        words = [sys.executable, "-m", "benchmarks.contestants", name, str(runs)]
        return run_process(words, Path(folder))


def _told(taken: Taken) -> Any:
    """Seconds on the clock, of processor time, and by module."""
    return json.loads(taken.printed.splitlines()[-1])
