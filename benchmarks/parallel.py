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
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from benchmarks.measure import Found, Row, in_turn, ratios, run, seconds
from src.runs.record import RunRecord

MINUTES = 9
ROOT = Path(__file__).resolve().parents[1]
SERIAL: tuple[str, ...] = ()
PARALLEL = ("hydra/launcher=joblib", "hydra.launcher.n_jobs=2")
RUNS = 20
EPOCHS = (20, 200)
"""Of runs that take half a second to train, less than all around them, and of longer ones."""
WORDS = ("data=digits", "model.hidden=[64,64]")
RECORDS = "multirun/*/*/*/run.json"
TINY = ("data.n_samples=200", "data.minority_fraction=0.2")


@dataclass
class Taken:
    """Seconds of the sweeps of one side, one a round.

    Attributes:
        whole: of the command, imports included.
        training: from the start of the first run's training to the end of the last run.
        processor: of all its processes.
    """

    whole: list[float] = field(default_factory=list)
    training: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)


def measure(options: argparse.Namespace) -> Found:
    """Times whole commands, and the training alone within them."""
    rows, notes = [], []
    for epochs in (1,) if options.tiny else EPOCHS:
        more, note = _of(epochs, options)
        rows += more
        notes.append(note)
    notes.append(
        "Two workers can be at most as fast as half the processor time of all, on cores that "
        "nobody else uses. Load of the machine at the end, this program aside or not: "
        f"{os.getloadavg()[0]:.1f} on {os.cpu_count()} cores."
    )
    return Found(rows, notes)


def _of(epochs: int, options: argparse.Namespace) -> tuple[list[Row], str]:
    """Rows and a note for runs of so many epochs."""
    runs, words = (2, TINY) if options.tiny else (RUNS, WORDS)
    serial, parallel = sides = (Taken(), Taken())
    given = (f"seed=range(0,{runs})", f"training.epochs={epochs}", *words)
    commands = [
        partial(_sweep, (*launcher, *given), taken)
        for launcher, taken in zip((SERIAL, PARALLEL), sides, strict=True)
    ]
    in_turn("sweeps", commands, options.rounds, warm=0)
    what = f"speed of a tracked sweep of {runs} runs of {epochs} epochs, 2 workers"
    against = "one run after another"
    rows = [
        Row(f"{what}, imports included", against, ratios(serial.whole, parallel.whole), ">= 1.7"),
        Row(f"{what}, without imports", against, ratios(serial.training, parallel.training), ""),
        Row("its processor time", against, ratios(parallel.processor, serial.processor), ""),
    ]
    seconds = [
        f"{statistics.median(side.whole):.1f} s, {statistics.median(side.training):.1f} s without "
        f"imports, {statistics.median(side.processor):.1f} s of processor time"
        for side in sides
    ]
    return rows, f"{epochs} epochs: one after another {seconds[0]}; by two workers {seconds[1]}."


def _sweep(words: Sequence[str], taken: Taken) -> float:
    """Seconds of one sweep into an empty store; what it took goes to the lists."""
    before = _processor_time()
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, str(ROOT / "train.py"), "-m", *words]
        whole = seconds(
            lambda: subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
        )
        records = [RunRecord.load(file.parent) for file in Path(folder).glob(RECORDS)]
    first = min(record.started_ms for record in records)
    taken.training.append((max(record.ended_ms for record in records) - first) / 1000)
    taken.processor.append(_processor_time() - before)
    taken.whole.append(whole)
    return whole


def _processor_time() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the table."""
    return run(measure, __doc__ or "", 3, arguments)


if __name__ == "__main__":
    raise SystemExit(main())
