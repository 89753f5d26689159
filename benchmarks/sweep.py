"""A tracked sweep of twenty runs, against the same models in Keras by hand.

Each contestant is a process of its own that imports everything before its clock starts.
``mlflow.autolog()`` needs tensorboard, which this project does not: its row is left out without it.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import partial

from benchmarks.timing.measure import Found, Row, in_turn, run
from benchmarks.timing.typed import ROOT
from src.tracking.address import URI_VARIABLE

MINUTES = 8
RUNS, FEW = 20, 4
"""Runs of a sweep; runs under autologging, which is slow: the time of RUNS is taken from these."""


def measure(options: argparse.Namespace) -> Found:
    """Times all contestants."""
    runs = {"tracked": RUNS, "untracked": RUNS, "bare": RUNS}
    if importlib.util.find_spec("tensorboard"):
        runs["autologged"] = FEW
    if options.tiny:
        runs = dict.fromkeys(runs, 2)
    sides = [partial(_measured, name, count) for name, count in runs.items()]
    times = in_turn("sweeps", sides, options, warm=0)
    clock, processor = (
        {
            name: tuple(turn[index] * runs["tracked"] / count for turn in taken)
            for (name, count), taken in zip(runs.items(), times, strict=True)
        }
        for index in range(2)
    )
    sweep, by_hand = f"tracked sweep of {runs['tracked']} runs", "the same models by `fit` alone"
    rows = [
        Row(sweep, by_hand, clock["tracked"], clock["bare"], "<= 0.55"),
        Row("its processor time", by_hand, processor["tracked"], processor["bare"], "<= 0.55"),
        Row("the sweep with `tracking=none`", by_hand, clock["untracked"], clock["bare"]),
    ]
    if "autologged" in clock:
        against = "the same models under `mlflow.autolog()`"
        rows.append(Row(sweep, against, clock["tracked"], clock["autologged"], "<= 0.15"))
    return Found(rows, ["Digits, MLP 64-64, 20 epochs, two losses by ten seeds, no imports."])


def _measured(name: str, runs: int) -> tuple[float, float]:
    """Seconds on the clock and of processor time, in a fresh process and an empty folder."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    environment.pop(URI_VARIABLE, None)
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.contestants", name, str(runs)],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise RuntimeError(f"{name}: {done.stderr[-2000:]}")
    clock, processor = done.stdout.splitlines()[-1].split()
    return float(clock), float(processor)


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the table."""
    return run(measure, __doc__ or "", 3, arguments)


if __name__ == "__main__":
    raise SystemExit(main())
