"""The step of a training with focal loss, against Keras's CategoricalFocalCrossentropy."""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Sequence
from typing import Any

from benchmarks import steps
from benchmarks.measure import Found, Row, in_turn, ratios, run

MINUTES = 1.5
CLASSES = (10, 100, 1000)
PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")
GAMMA, ALPHA = 2.0, 0.25


def measure(options: argparse.Namespace) -> Found:
    """Times the steps for every number of classes and both precisions."""
    steps.start()
    import keras

    calls = 2 if options.tiny else steps.CALLS
    rows, spent = [], []
    for precision in PRECISIONS[:1] if options.tiny else PRECISIONS:
        before = keras.config.dtype_policy()
        keras.config.set_dtype_policy(precision)
        for classes in CLASSES[:1] if options.tiny else CLASSES:
            x, integers, one_hot = steps.batch_of(classes)
            ours, theirs = models_of(classes)
            sides = [
                steps.step_of(ours, x, integers, calls),
                steps.step_of(theirs, x, one_hot, calls),
            ]
            mine, other = in_turn(f"K = {classes}, {precision}", sides, options.rounds)
            what = f"focal-loss step, K = {classes}, {precision}"
            against = "Keras's `CategoricalFocalCrossentropy`"
            rows.append(Row(what, against, ratios(mine, other), "<= 1.0"))
            us = [f"{statistics.median(side) * 1e6:.0f}" for side in (mine, other)]
            spent.append(f"| {classes} | {precision} | {us[0]} | {us[1]} |")
        keras.config.set_dtype_policy(before)
    head = "| K | precision | this, µs a step | Keras's, µs a step |\n| --: | --- | --: | --: |"
    table = "\n".join([head, *spent])
    return Found(rows, [f"MLP {steps.HIDDEN}, batches of {steps.BATCH}, one thread:", table])


def models_of(classes: int) -> tuple[Any, Any]:
    """The same network with this loss (integer labels) and with Keras's (one-hot labels)."""
    import keras

    from src.components import SparseCategoricalFocalLoss

    ours, theirs = steps.network(classes), steps.network(classes)
    ours.compile("adam", SparseCategoricalFocalLoss(gamma=GAMMA, alpha=ALPHA))
    theirs.compile(
        "adam",
        keras.losses.CategoricalFocalCrossentropy(alpha=ALPHA, gamma=GAMMA, from_logits=True),
    )
    return ours, theirs


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the table."""
    return run(measure, __doc__ or "", 60, arguments)


if __name__ == "__main__":
    raise SystemExit(main())
