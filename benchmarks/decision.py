"""The search for the decision's offsets on 10,000 validation rows, cross-fitting included."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial

import numpy as np

from benchmarks.timing.measure import Found, Row, in_turn, seconds

MINUTES = 0.5
ROUNDS = 2
ROWS = 10_000
CLASSES = (100, 1000)
ALLOWED = 5.0
"""Seconds that 100 classes may take."""


def measure(options: argparse.Namespace) -> Found:
    """Times what follows a training, once the logits are there."""
    few, many = (3, 6) if options.tiny else CLASSES
    rows = 60 if options.tiny else ROWS
    sides = [partial(seconds, search(rows, classes)) for classes in (few, many)]
    fewer, more = in_turn("decision", sides, options, warm=0)
    names = [f"{classes:,} classes: tuning and cross-fitting" for classes in (few, many)]
    return Found(
        [
            Row(names[0], "what it may take", fewer, (ALLOWED,) * len(fewer), "<= 1"),
            Row(names[1], names[0], more, fewer),
        ],
        [f"{rows:,} validation rows, the most frequent class has ten times those of the rarest."],
    )


def search(rows: int, classes: int) -> Callable[[], None]:
    """The choice of an epoch, its cross-fitted scores, and the offsets of all rows.

    The scores are those of a model that knows something: noise, and more for the true class.
    """
    from src.evaluation.decision import tune_offsets
    from src.evaluation.epoch_choice import EpochChoice

    random = np.random.default_rng(0)
    share = np.geomspace(10, 1, classes)
    y = random.choice(classes, rows, p=share / share.sum())
    y[:classes] = np.arange(classes)
    logits = random.normal(size=(rows, classes)).astype(np.float32)
    logits[np.arange(rows), y] += 2.5
    logits += np.log(share).astype(np.float32)

    def work() -> None:
        choice = EpochChoice(y, np.zeros(classes))
        choice.add(0, logits)
        choice.crossfit()
        tune_offsets(y, logits)

    return work
