"""A training step with this project's metric, loss and clipping, against Keras's own."""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from benchmarks.timing import steps
from benchmarks.timing.measure import Found, Row, in_turn

MINUTES = 0.7
ROUNDS = 20
CLASSES = (10, 1000)
GAMMA, ALPHA = 2.0, 0.25
NORM = 0.5

Models = tuple[Any, Any]
"""The same network with a part of this project and with Keras's."""
Batch = tuple[Any, Any]
"""Features and labels."""
Contest = tuple[str, str, list[Callable[[], float]]]
"""What is measured, against what, and both sides."""


def measure(options: argparse.Namespace) -> Found:
    """Times steps as ``fit`` calls them, and those of clipping within a graph as well."""
    steps.start()
    calls = 2 if options.tiny else steps.CALLS
    rows = []
    for classes in CLASSES[:1] if options.tiny else CLASSES:
        for what, against, sides in _contests(classes, calls):
            ours, theirs = in_turn(what, sides, options)
            rows.append(Row(f"{what}, K = {classes}", against, ours, theirs, "<= 1.05"))
    return Found(rows, [steps.NOTE])


def _contests(classes: int, calls: int) -> Iterator[Contest]:
    x, integers, one_hot = steps.batch_of(classes)
    macro, focal, clipped = (partial(one, classes) for one in (macro_f1, focal_loss, clipping))
    sparse, dense = (x, integers), (x, one_hot)
    yield "`MacroF1`", "`F1Score`", _sides(macro, dense, dense, calls)
    yield "focal loss", "`CategoricalFocalCrossentropy`", _sides(focal, sparse, dense, calls)
    against = "`global_clipnorm`"
    yield "`ClippedModel`", against, _sides(clipped, sparse, sparse, calls)
    within = [steps.graph_of(model, x, integers, 10 * calls) for model in clipped()]
    yield "`ClippedModel` within a graph, as runs are trained", against, within


def _sides(
    models: Callable[[], Models], mine: Batch, other: Batch, calls: int
) -> list[Callable[[], float]]:
    """Both sides, each the mean of two models.

    Two models that are alike differ by some 2 % a step, by where they lie in memory.
    """
    pairs = [models(), models()]
    ours = [steps.step_of(one, *mine, calls) for one, _ in pairs]
    theirs = [steps.step_of(one, *other, calls) for _, one in pairs]
    return [partial(_mean, ours), partial(_mean, theirs)]


def _mean(works: Sequence[Callable[[], float]]) -> float:
    return statistics.fmean(work() for work in works)


def macro_f1(classes: int) -> Models:
    """With MacroF1 and with F1Score, for one-hot labels."""
    import keras

    from src.components import MacroF1

    loss = keras.losses.CategoricalCrossentropy(from_logits=True)
    ours, theirs = steps.network(classes), steps.network(classes)
    ours.compile("adam", loss, metrics=[MacroF1(classes)])
    theirs.compile("adam", loss, metrics=[keras.metrics.F1Score(average="macro")])
    return ours, theirs


def focal_loss(classes: int) -> Models:
    """With this focal loss (integer labels) and with Keras's (one-hot labels)."""
    import keras

    from src.components import SparseCategoricalFocalLoss

    ours, theirs = steps.network(classes), steps.network(classes)
    ours.compile("adam", SparseCategoricalFocalLoss(gamma=GAMMA, alpha=ALPHA))
    stock = keras.losses.CategoricalFocalCrossentropy(alpha=ALPHA, gamma=GAMMA, from_logits=True)
    theirs.compile("adam", stock)
    return ours, theirs


def clipping(classes: int) -> Models:
    """Clipped by the model's own step, which logs the norm too, and by the optimizer."""
    import keras

    from src.components import ClippedModel

    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    ours = steps.network(classes, ClippedModel, clip_norm=NORM)
    ours.compile(keras.optimizers.Adam(), loss)
    theirs = steps.network(classes)
    theirs.compile(keras.optimizers.Adam(global_clipnorm=NORM), loss)
    return ours, theirs
