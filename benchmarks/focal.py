"""A training step with focal loss, against Keras's CategoricalFocalCrossentropy."""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from benchmarks.timing import steps
from benchmarks.timing.measure import Found, Row, in_turn, run

MINUTES = 3
CLASSES = (10, 100, 1000)
PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")
GAMMA, ALPHA = 2.0, 0.25


def measure(options: argparse.Namespace) -> Found:
    """Times the steps for every number of classes and every precision."""
    steps.start()
    import keras

    calls = 2 if options.tiny else steps.CALLS
    rows = []
    before = keras.config.dtype_policy()
    for precision in PRECISIONS[:1] if options.tiny else PRECISIONS:
        keras.config.set_dtype_policy(precision)
        for classes in CLASSES[:1] if options.tiny else CLASSES:
            what = f"K = {classes}, {precision}"
            ours, theirs = in_turn(what, _sides(classes, calls), options)
            against = "`CategoricalFocalCrossentropy`"
            rows.append(Row(f"focal loss, {what}", against, ours, theirs, "<= 1.0"))
    keras.config.set_dtype_policy(before)
    return Found(rows, [steps.NOTE])


def _sides(classes: int, calls: int) -> list[Callable[[], float]]:
    """Both sides, each the mean of two models made in the order A B B A.

    Two models that are alike differ by some 2 % a step, by where they lie in memory.
    """
    x, integers, one_hot = steps.batch_of(classes)
    pairs = [models_of(classes), models_of(classes, keras_first=True)]
    ours = [steps.step_of(mine, x, integers, calls) for mine, _ in pairs]
    theirs = [steps.step_of(other, x, one_hot, calls) for _, other in pairs]
    return [partial(_mean, ours), partial(_mean, theirs)]


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
