"""The model with a training step of its own, clipping on, against stock Keras that clips."""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Sequence
from typing import Any

from benchmarks import steps
from benchmarks.measure import Found, Row, in_turn, ratios, run, seconds

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
    sides = [steps.step_of(model, x, y, calls) for model in pair]
    mine, other = in_turn("steps", sides, options.rounds)
    rows = [_row("a step of `ClippedModel`, clipping on", mine, other)]
    graphs = [steps.graph_of(model, x, y, 10 * calls) for model in pair]
    inside, outside = in_turn("operations", graphs, options.rounds)
    rows.append(_row("its operations alone, steps within one graph", inside, outside))
    batches = tf.data.Dataset.from_tensors((x, y)).repeat(calls)
    epochs = [lambda model=model: seconds(lambda: model.fit(batches, verbose=0)) for model in pair]
    fit, stock = in_turn("fit", epochs, options.rounds)
    rows.append(_row(f"`fit` of {calls} steps", fit, stock))
    us = [f"{statistics.median(side) * 1e6:.0f}" for side in (mine, other, inside, outside)]
    note = f"MLP {steps.HIDDEN}, batches of {steps.BATCH}, one thread: {us[0]} µs a step, with "
    note += f"the norm logged, against {us[1]} µs without; {us[2]} against {us[3]} the operations."
    return Found(rows, [note])


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


def _row(what: str, mine: Sequence[float], other: Sequence[float]) -> Row:
    return Row(what, "stock Keras with `global_clipnorm`", ratios(mine, other), "<= 1.05")


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the table."""
    return run(measure, __doc__ or "", 60, arguments)


if __name__ == "__main__":
    raise SystemExit(main())
