"""The step of a training with focal loss, against Keras's CategoricalFocalCrossentropy."""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from benchmarks import steps
from benchmarks.measure import Found, Row, in_turn, ratios, run

MINUTES = 3
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
            pairs = [models_of(classes), models_of(classes, keras_first=True)]
            title = f"K = {classes}, {precision}"
            whole, alone = (
                in_turn(title, _sides(time, pairs, x, (integers, one_hot), size), options.rounds)
                for time, size in ((steps.step_of, calls), (steps.graph_of, 5 * calls))
            )
            what = f"focal-loss step, K = {classes}, {precision}"
            against = "Keras's `CategoricalFocalCrossentropy`"
            rows.append(Row(what, against, ratios(*whole), "<= 1.0"))
            us = (f"{statistics.median(side) * 1e6:.0f}" for side in (*whole, *alone))
            spent.append(f"| {classes} | {precision} | {' | '.join(us)} |")
        keras.config.set_dtype_policy(before)
    head = "| K | precision | this, µs a step | Keras's | this, operations alone | Keras's |"
    head += "\n| --: | --- | --: | --: | --: | --: |"
    table = "\n".join([head, *spent])
    return Found(rows, [f"MLP {steps.HIDDEN}, batches of {steps.BATCH}, one thread:", table])


def _sides(
    time: Callable[..., Callable[[], float]],
    pairs: Sequence[tuple[Any, Any]],
    x: Any,
    labels: Sequence[Any],
    size: int,
) -> list[Callable[[], float]]:
    """Both sides, each the mean of two models made in the order A B B A.

    Where a model lies in memory moves its step by some 2 %, even that of two alike.
    """
    sides: list[Callable[[], float]] = []
    for number, y in enumerate(labels):
        works = [time(pair[number], x, y, size) for pair in pairs]
        sides.append(partial(_mean, works))
    return sides


def _mean(works: Sequence[Callable[[], float]]) -> float:
    return statistics.fmean(work() for work in works)


def models_of(classes: int, *, keras_first: bool = False) -> tuple[Any, Any]:
    """The same network with this loss (integer labels) and with Keras's (one-hot labels)."""
    import keras

    from src.components import SparseCategoricalFocalLoss

    ours, theirs = (steps.network(classes) for _ in range(2))
    if keras_first:
        ours, theirs = theirs, ours
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
