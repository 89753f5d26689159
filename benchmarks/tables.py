"""A table as a CSV file, MLP 128-128, against pandas, scikit-learn and bare Keras."""

from __future__ import annotations

import argparse
import math
import tempfile
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.timing.measure import Found, in_turn
from benchmarks.timing.process import Taken, by_hand, row_of, train

MINUTES = 4
ROUNDS = 2
SIZES = (100_000, 1_000_000)
COLUMNS, EPOCHS, BATCH = 20, 5, 64
ASKED = {
    "seconds": ("whole command", "<= 0.85"),
    "fit": ("training", "<= 0.5"),
    "memory": ("peak memory", "<= 1.0"),
}
MINORITY, MISSING = 0.1, 0.01
CHUNK = 50_000
"""Rows that are made at once, so that this process stays small."""


def measure(options: argparse.Namespace) -> Found:
    """Times both as whole processes, and looks at their memory."""
    rows = []
    with tempfile.TemporaryDirectory() as name:
        for size in (400,) if options.tiny else SIZES:
            file = Path(name) / f"{size}.csv"
            write_table(file, size)
            sides = [
                partial(_ours, file),
                partial(by_hand, "table", str(file), str(EPOCHS), str(BATCH)),
            ]
            most = 1 if size == max(SIZES) else None
            ours, bare = in_turn(f"{size:,} rows", sides, options, warm=0, most=most)
            rows += [
                row_of(part, f"{size:,} rows: {words}", ours, "by hand", bare, bound=bound)
                for part, (words, bound) in ASKED.items()
            ]
            file.unlink()
    note = (
        f"CSV, {COLUMNS} columns of numbers, a hundredth missing in four of them; MLP 128-128, "
        f"batches of {BATCH}, {EPOCHS} epochs, validated after each. As it comes, and so is Keras."
    )
    return Found(rows, [note])


def _ours(file: Path) -> Taken:
    """The project as it comes; tracking, model and pictures are part of it."""
    budget = (f"training.epochs={EPOCHS}", f"training.batch_size={BATCH}")
    return train(
        "data=table", f"data.path={file}", "data.label=label", "model.hidden=[128,128]", *budget
    )


def write_table(file: Path, rows: int) -> None:
    """Writes a table of two classes: header, ``COLUMNS`` numbers, ``label``."""
    random = np.random.default_rng(0)
    names = [f"c{number}" for number in range(COLUMNS)]
    with file.open("w", encoding="utf-8") as out:
        out.write(",".join([*names, "label"]) + "\n")
        for first in range(0, rows, CHUNK):
            count = min(CHUNK, rows - first)
            rare = random.random(count) < MINORITY
            x = random.normal(size=(count, COLUMNS)) + 0.4 * rare[:, None]
            x[:, ::5][random.random((count, len(names[::5]))) < MISSING] = np.nan
            for values, one in zip(x.tolist(), rare.tolist(), strict=True):
                cells = ("" if math.isnan(value) else f"{value:.4f}" for value in values)
                out.write(f"{','.join(cells)},{'yes' if one else 'no'}\n")
