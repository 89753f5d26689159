"""What a run of the study takes beside its training, in its full form: data, scores and record."""

from __future__ import annotations

import argparse
import json
import tempfile
from functools import partial
from itertools import count
from pathlib import Path

import numpy as np

from benchmarks.timing import typed
from benchmarks.timing.measure import Found, Row, in_turn, seconds

MINUTES = 1
ROUNDS = 1
ROWS, SEEDS = 336, 5
"""Rows of the set, as many as the sets of ecoli have; seeds of a turn."""
ALLOWED = 0.15
"""Seconds beyond the training, on average."""
METHODS = (
    "loss=ce training.learning_rate=0.001,0.003,0.01,0.03",
    "loss=focal loss.gamma=1,2 training.learning_rate=0.003,0.01",
    "loss=weighted_ce training.learning_rate=0.001,0.003,0.01,0.03",
    "loss=ce sampling=random_over training.learning_rate=0.001,0.003,0.01,0.03",
)
TUNED = "tuning.keys=[training.learning_rate,loss.gamma]"
TINY = ("training.epochs=1",)


def measure(options: argparse.Namespace) -> Found:
    """Trains the study on one made-up set, one run after another; each turn has its own seeds."""
    number_of_seeds, more = (1, TINY) if options.tiny else (SEEDS, ())
    some = METHODS[1:2] if options.tiny else METHODS
    methods = f"hydra.sweeper.methods=[{','.join(map(repr, some))}]"
    typed.start()
    with tempfile.TemporaryDirectory() as folder:
        _write_set(Path(folder) / "sets" / "made.dat")
        turns = count()

        def beyond() -> float:
            first = next(turns) * number_of_seeds
            out = Path(folder) / str(first)
            words = (
                *("-m", "+experiment=study", "study=full", "references=none", methods),
                *(TUNED, *more),
                *("hydra/launcher=serial", f"data.root={folder}/sets", "data.name=made"),
                *(f"seed=range({first},{first + number_of_seeds})", f"hydra.sweep.dir={out}"),
                f"tracking.root={folder}/store",
            )
            whole = seconds(partial(typed.train, *words))
            records = [json.loads(file.read_text("utf-8")) for file in out.glob("*/run.json")]
            trained = sum(one["metrics"]["seconds_fit"] for one in records)
            return (whole - trained) / len(records)

        (taken,) = in_turn("study", [beyond], options)
    allowed = (ALLOWED,) * len(taken)
    row = Row("a run of the study beyond its training", "what it may take", taken, allowed, "<= 1")
    return Found([row], ["Four methods, four trials each, in a sweep; planning included."])


def _write_set(file: Path) -> None:
    """Seven columns, a tenth of the rows of the rare class, as KEEL's rows without a header."""
    rng = np.random.default_rng(0)
    rare = np.arange(ROWS) % 10 == 0
    x = rng.normal(size=(ROWS, 7)) + rare[:, None]
    lines = [
        ", ".join([*(f"{value:.3f}" for value in row), "positive" if one else "negative"])
        for row, one in zip(x, rare, strict=True)
    ]
    file.parent.mkdir(parents=True)
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
