"""A training step with MacroF1, against the same step with Keras's F1Score."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from benchmarks.timing import steps
from benchmarks.timing.measure import Found, Row, in_turn, run

MINUTES = 1.5
CLASSES = (10, 100, 1000)


def measure(options: argparse.Namespace) -> Found:
    """Times the steps for every number of classes and both forms of labels."""
    steps.start()
    calls = 2 if options.tiny else steps.CALLS
    rows = []
    for classes in CLASSES[:1] if options.tiny else CLASSES:
        x, integers, one_hot = steps.batch_of(classes)
        for form, y in (("one-hot", one_hot), ("integer", integers)):
            sides = [steps.step_of(model, x, y, calls) for model in models_of(classes, form)]
            ours, theirs = in_turn(f"K = {classes}, {form}", sides, options)
            against = "`F1Score`" + (" through `one_hot`" if form == "integer" else "")
            what = f"MacroF1, K = {classes}, {form} labels"
            rows.append(Row(what, against, ours, theirs, "<= 1.05"))
    return Found(rows, [steps.NOTE])


def models_of(classes: int, form: str) -> tuple[Any, Any]:
    """The same network with MacroF1 and with F1Score.

    Args:
        classes: K.
        form: of the labels, ``one-hot`` or ``integer``.
    """
    import keras

    from src.components import MacroF1

    class IntegerF1(keras.metrics.F1Score):
        """Keras's metric, given integer labels."""

        def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
            labels = keras.ops.one_hot(keras.ops.cast(y_true, "int32"), classes)
            super().update_state(labels, y_pred, sample_weight)

    if form == "one-hot":
        theirs = keras.metrics.F1Score(average="macro")
        loss = keras.losses.CategoricalCrossentropy(from_logits=True)
    else:
        theirs = IntegerF1(average="macro")
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    models = []
    for metric in (MacroF1(classes), theirs):
        model = steps.network(classes)
        model.compile("adam", loss, metrics=[metric])
        models.append(model)
    return models[0], models[1]


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the table."""
    return run(measure, __doc__ or "", 60, arguments)


if __name__ == "__main__":
    raise SystemExit(main())
