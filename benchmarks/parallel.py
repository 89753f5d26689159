"""A sweep by two workers of `hydra/launcher=joblib` against one run after another."""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import partial

from benchmarks.timing.measure import Found, Row, in_turn, run, seconds
from benchmarks.timing.typed import ROOT

MINUTES = 9
PARALLEL = ("hydra/launcher=joblib", "hydra.launcher.n_jobs=2")
RUNS = 20
EPOCHS = (20, 200)
"""Short runs, whose training takes less time than all around it, and longer ones."""
WORDS = ("data=digits", "model.hidden=[64,64]")
TINY = ("data.n_samples=200", "data.minority_fraction=0.2")


def measure(options: argparse.Namespace) -> Found:
    """Times whole commands, imports included, and their processor time."""
    runs, words = (2, TINY) if options.tiny else (RUNS, WORDS)
    rows = []
    for epochs in (1,) if options.tiny else EPOCHS:
        given = (f"seed=range(0,{runs})", f"training.epochs={epochs}", *words)
        sides = [partial(_sweep, (*launcher, *given)) for launcher in ((), PARALLEL)]
        serial, parallel = (
            tuple(zip(*taken, strict=True)) for taken in in_turn("sweeps", sides, options, warm=0)
        )
        what = f"two workers, {runs} runs of {epochs} epochs"
        against = "one run after another"
        rows.append(Row(what, against, parallel[0], serial[0], "<= 0.59"))
        rows.append(Row("their processor time", against, parallel[1], serial[1]))
    cores = f"The machine has {os.cpu_count()} cores."
    return Found(rows, [f"Whole commands, imports included. {cores}"])


def _sweep(words: Sequence[str]) -> tuple[float, float]:
    """Seconds on the clock and of processor time of one sweep into an empty store."""
    before = _processor_time()
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, str(ROOT / "train.py"), "-m", *words]
        work = partial(subprocess.run, command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
        whole = seconds(work)
    return whole, _processor_time() - before


def _processor_time() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the table."""
    return run(measure, __doc__ or "", 3, arguments)


if __name__ == "__main__":
    raise SystemExit(main())
