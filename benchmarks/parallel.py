"""A sweep by two workers of `hydra/launcher=joblib` against one run after another."""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from benchmarks.measure import Found, Row, in_turn, ratios, run, seconds

MINUTES = 6
ROOT = Path(__file__).resolve().parents[1]
SERIAL: tuple[str, ...] = ()
PARALLEL = ("hydra/launcher=joblib", "hydra.launcher.n_jobs=2")
RUNS = 20
WORDS = ("data=digits", "model.hidden=[64,64]", "training.epochs=20")
TINY = ("data.n_samples=200", "data.minority_fraction=0.2", "training.epochs=1")


def measure(options: argparse.Namespace) -> Found:
    """Times whole commands, the imports of each process included."""
    runs, words = (2, TINY) if options.tiny else (RUNS, WORDS)
    work: dict[tuple[str, ...], list[float]] = {SERIAL: [], PARALLEL: []}
    sides = [
        partial(_sweep, (*launcher, f"seed=range(0,{runs})", *words), spent)
        for launcher, spent in work.items()
    ]
    serial, parallel = in_turn("sweeps", sides, options.rounds, warm=0)
    rows = [
        Row(
            f"speed of a tracked sweep of {runs} runs, 2 workers, everything on",
            "one run after another",
            ratios(serial, parallel),
            ">= 1.7",
        )
    ]
    wall = [f"{statistics.median(side):.0f}" for side in (serial, parallel)]
    cpu = [f"{statistics.median(spent):.0f}" for spent in work.values()]
    return Found(
        rows,
        [
            f"Wall time {wall[0]} s serial and {wall[1]} s parallel, imports of TensorFlow "
            f"included (one, and one a worker); processor time {cpu[0]} s and {cpu[1]} s. Load of "
            f"the machine at the end, this program aside or not: {os.getloadavg()[0]:.1f} on "
            f"{os.cpu_count()} cores."
        ],
    )


def _sweep(words: Sequence[str], spent: list[float]) -> float:
    """Seconds of one sweep into an empty store; its processor time goes to the list."""
    before = _processor_time()
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, str(ROOT / "train.py"), "-m", *words]
        taken = seconds(
            lambda: subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
        )
    spent.append(_processor_time() - before)
    return taken


def _processor_time() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the table."""
    return run(measure, __doc__ or "", 3, arguments)


if __name__ == "__main__":
    raise SystemExit(main())
