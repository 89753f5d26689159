"""The model with a training step of its own, clipping on, against stock Keras that clips."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from benchmarks.timing import steps
from benchmarks.timing.measure import Found, Row, in_turn, run, seconds

MINUTES = 1
NORM = 0.5
CLASSES = 10


def measure(options: argparse.Namespace) -> Found:
    """Times steps as ``fit`` calls them, their operations alone, and whole epochs of ``fit``."""
    steps.start()
    import tensorflow as tf

    calls = 2 if options.tiny else steps.CALLS
    x, y, _ = steps.batch_of(CLASSES)
    pair = models_of()
    batches = tf.data.Dataset.from_tensors((x, y)).repeat(calls)
    works: dict[str, list[Callable[[], float]]] = {
        "a step of `ClippedModel`": [steps.step_of(model, x, y, calls) for model in pair],
        "its operations alone": [steps.graph_of(model, x, y, 10 * calls) for model in pair],
        f"`fit` of {calls} steps": [
            partial(seconds, partial(model.fit, batches, verbose=0)) for model in pair
        ],
    }
    rows = []
    for what, sides in works.items():
        mine, other = in_turn(what, sides, options)
        rows.append(Row(what, "Keras with `global_clipnorm`", mine, other, "<= 1.05"))
    return Found(rows, [f"{steps.NOTE} `ClippedModel` logs the norm, too."])


def models_of() -> tuple[Any, Any]:
    """The same network, clipped by its own step and by the optimizer."""
    import keras

    from src.components import ClippedModel

    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    ours = steps.network(CLASSES, ClippedModel, clip_norm=NORM)
    ours.compile(keras.optimizers.Adam(), loss)
    stock = steps.network(CLASSES)
    stock.compile(keras.optimizers.Adam(global_clipnorm=NORM), loss)
    return ours, stock


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the table."""
    return run(measure, __doc__ or "", 60, arguments)


if __name__ == "__main__":
    raise SystemExit(main())
