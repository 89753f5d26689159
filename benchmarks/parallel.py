"""The homework as it comes, which takes the cores there are, against one run after another."""

from __future__ import annotations

import argparse
import os
from functools import partial

from benchmarks.timing.measure import Found, in_turn
from benchmarks.timing.process import row_of, train

MINUTES = 2.5
ROUNDS = 2
SEEDS = (2, 6)
"""Of three losses, each at five learning rates."""


def measure(options: argparse.Namespace) -> Found:
    """Times whole commands, imports included."""
    rows = []
    for seeds in (1,) if options.tiny else SEEDS:
        words = ["-m", "+experiment=homework", "compare=false", f"seed=range(0,{seeds})"]
        words += ["training.epochs=1"] if options.tiny else []
        sides = [partial(train, *words, *more) for more in ((), ("hydra/launcher=serial",))]
        most = 1 if seeds == max(SEEDS) else None
        ours, serial = in_turn("homework", sides, options, warm=0, most=most)
        what, against = f"homework, {ours[0].runs} runs", "`hydra/launcher=serial`"
        rows.append(
            row_of("seconds", f"{what}, as it comes", ours, against, serial, bound="<= 0.6")
        )
    cores = f"The machine has {os.cpu_count()} processors."
    return Found(rows, [f"Whole commands, imports included. {cores}"])
