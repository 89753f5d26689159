"""What MacroF1 adds to a training step, against what Keras's F1Score adds."""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Sequence
from typing import Any

from benchmarks import steps
from benchmarks.measure import Found, Row, in_turn, ratios, run

MINUTES = 1.5
CLASSES = (10, 100, 1000)


def measure(options: argparse.Namespace) -> Found:
    """Times the steps for every number of classes and both forms of labels."""
    steps.start()
    calls = 2 if options.tiny else steps.CALLS
    rows, added = [], []
    for classes in CLASSES[:1] if options.tiny else CLASSES:
        for form in ("one-hot", "integer"):
            models = models_of(classes, form)
            x, integers, one_hot = steps.batch_of(classes)
            y = one_hot if form == "one-hot" else integers
            sides = [steps.step_of(model, x, y, calls) for model in models]
            ours, theirs, none = in_turn(f"K = {classes}, {form}", sides, options.rounds)
            against = "the same with `keras.metrics.F1Score`"
            if form == "integer":
                against += " through `one_hot`"
            what = f"a step with MacroF1, K = {classes}, {form} labels"
            rows.append(Row(what, against, ratios(ours, theirs), "<= 1.0"))
            plain, mine, other = (statistics.median(side) * 1e6 for side in (none, ours, theirs))
            added.append(
                f"| {classes} | {form} | {plain:.0f} | {mine - plain:+.0f} | {other - plain:+.0f} |"
            )
    head = "| K | labels | step alone, µs | MacroF1 adds | F1Score adds |"
    table = "\n".join([head, "| --: | --- | --: | --: | --: |", *added])
    return Found(rows, [f"MLP {steps.HIDDEN}, batches of {steps.BATCH}, one thread:", table])


def models_of(classes: int, form: str) -> list[Any]:
    """The same network with MacroF1, with Keras's F1Score, and with no metric."""
    import keras
    import tensorflow as tf

    from src.components import MacroF1

    class IntegerF1(keras.metrics.F1Score):
        """Keras's metric, given integer labels."""

        def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
            labels = tf.one_hot(tf.cast(y_true, tf.int32), classes)
            super().update_state(labels, y_pred, sample_weight)

    if form == "one-hot":
        theirs = keras.metrics.F1Score(average="macro")
        loss = keras.losses.CategoricalCrossentropy(from_logits=True)
    else:
        theirs = IntegerF1(average="macro")
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    models = []
    for metrics in ([MacroF1(classes)], [theirs], []):
        model = steps.network(classes)
        model.compile("adam", loss, metrics=metrics)
        models.append(model)
    return models


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the table."""
    return run(measure, __doc__ or "", 60, arguments)


if __name__ == "__main__":
    raise SystemExit(main())
