"""A sweep of nine runs on one table against a single run: the file is parsed once."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from benchmarks.tables import write_table
from benchmarks.timing.measure import Found, Row, in_turn
from benchmarks.timing.process import Taken, train

MINUTES = 1.5
ROUNDS = 1
SIZES = (30_000, 300_000)
LOSSES, SEEDS = 3, 3


def measure(options: argparse.Namespace) -> Found:
    """Times whole commands; their trainings, of one epoch, are taken off."""
    rows = []
    runs = LOSSES * SEEDS
    with tempfile.TemporaryDirectory() as name:
        for size in (400,) if options.tiny else SIZES:
            file = Path(name) / f"{size}.csv"
            write_table(file, size)
            one = partial(_sweep, file, "loss=ce", "seed=0")
            nine = partial(_sweep, file, "loss=ce,focal,weighted_ce", f"seed=range(0,{SEEDS})")
            single, sweep = in_turn(f"{size:,} rows", [one, nine], options, warm=0)
            what = f"{size:,} rows, a run beyond its training"
            rows.append(
                Row(f"{what}, in a sweep of {runs}", "alone", _beyond(sweep), _beyond(single))
            )
    note = (
        "Whole commands, one run after another, imports included, divided by the runs: a sweep "
        "that read its file for each run would save the imports alone."
    )
    return Found(rows, [note])


def _beyond(side: Sequence[Taken]) -> tuple[float, ...]:
    return tuple((taken.seconds - taken.fit) / taken.runs for taken in side)


def _sweep(file: Path, *words: str) -> Taken:
    data = ("data=table", f"data.path={file}", "data.label=label", "training.epochs=1")
    small = ("training.batch_size=1024", "tracking=none", "hydra/launcher=serial")
    return train("-m", "compare=false", *data, *small, *words)
