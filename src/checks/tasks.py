"""Labels and predictions in the forms that losses and metrics take them."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from src.checks.language import say

BATCH = 24
CLASS_COUNTS = (3, 2, 10, 4, 5)  # none divides out with BATCH by broadcasting
_MASK = (8, 9)

Array = np.ndarray


@dataclass(frozen=True)
class Task:
    """A form of labels and predictions, for `BATCH` examples.

    Attributes:
        form: integers, one-hot, binary, numbers, labels or values.
        what: the form in words.
        y_true: labels.
        y_pred: predictions strictly within (0, 1), rows of one-hot and integer tasks sum to 1.
        target: labels in the shape of the predictions, 0 to 1.
    """

    form: str
    what: str
    y_true: Array
    y_pred: Array
    target: Array

    def predicting(self, target: Array, scale: str, sureness: float = 0.9) -> Array:
        """Predictions for a target: near it as numbers or probabilities, far apart as logits.

        Args:
            target: 0 to 1, in the shape of the predictions.
            scale: logits or probabilities.
            sureness: probability of the target; 1 saturates.
        """
        if self.form in ("numbers", "labels", "values"):
            return target.astype(self.y_pred.dtype)
        size = target.shape[-1]
        rest = (1 - sureness) / max(size - 1, 1)
        near = target * sureness + (1 - target) * rest
        if scale == "logits":
            near = (2 * target - 1) * (3.0 if sureness < 1 else 100.0)
        return near.astype("float32")

    def right_and_wrong(self, scale: str, sureness: float = 0.9) -> tuple[Array, Array]:
        """Predictions for the target, and for one that is wrong for every example."""
        right = self.predicting(self.target, scale, sureness)
        return right, self.predicting(self.wrong(), scale, sureness)

    def wrong(self) -> Array:
        """A target that is wrong for every example."""
        if self.form in ("integers", "one-hot"):
            return np.roll(self.target, 1, axis=-1)
        if self.form == "labels":
            return ((self.target + 1) % (self.target.max() + 1)).astype(self.target.dtype)
        return 1 - self.target


def _rows(generator: np.random.Generator, classes: int, *size: int) -> Array:
    scores = np.exp(generator.normal(size=(BATCH, *size, classes)))
    return (scores / scores.sum(-1, keepdims=True)).astype("float32")


def _labels(generator: np.random.Generator, classes: int) -> Array:
    """Every class is there, in no order that repeats."""
    return generator.permutation(np.arange(BATCH) % classes).astype("int32")


def tasks(seed: int = 0, *, for_metric: bool = False) -> Iterator[Task]:
    """Every form, the strictest first, so that the first that a component takes is its own.

    A metric takes forms that no loss does.

    A loss of numbers broadcasts integer labels of shape (batch, 1) without a word, which is why
    that form comes late.
    """
    generator = np.random.default_rng(seed)
    labels = {k: _labels(generator, k) for k in CLASS_COUNTS}
    rows = {k: _rows(generator, k) for k in CLASS_COUNTS}
    hot = {k: np.eye(k, dtype="float32")[labels[k]] for k in CLASS_COUNTS}
    for k in CLASS_COUNTS:
        what = say("integer labels (batch,), predictions (batch, {})", k)
        yield Task("integers", what, labels[k], rows[k], hot[k])
    for k in CLASS_COUNTS:
        what = say("one-hot labels (batch, {0}), predictions (batch, {0})", k)
        yield Task("one-hot", what, hot[k], rows[k], hot[k])
    truth = labels[2][:, None].astype("float32")
    scores = generator.uniform(0.05, 0.95, (BATCH, 1)).astype("float32")
    what = say("labels 0 and 1 (batch, 1), predictions (batch, 1)")
    yield Task("binary", what, truth, scores, truth)
    numbers = generator.uniform(0.1, 0.9, (BATCH, 2)).astype("float32")
    guesses = (numbers + generator.choice([-0.08, 0.07], numbers.shape)).astype("float32")
    what = say("numbers (batch, 2), predictions (batch, 2)")
    yield Task("numbers", what, numbers, guesses, numbers)
    flat = truth[:, 0], scores[:, 0]
    what = say("labels 0 and 1 (batch,), predictions (batch,)")
    yield Task("binary", what, *flat, flat[0])
    if for_metric:
        what = say("integer labels (batch,), predicted labels (batch,)")
        guesses = np.where(generator.random(BATCH) < 0.5, labels[2], 1 - labels[2])
        yield Task("labels", what, labels[2], guesses.astype("int32"), labels[2])
    for k in CLASS_COUNTS:
        what = say("integer labels (batch, 1), predictions (batch, {})", k)
        yield Task("integers", what, labels[k][:, None], rows[k], hot[k])
    size = f"batch, {_MASK[0]}, {_MASK[1]}"
    mask = generator.integers(0, 2, (BATCH, *_MASK, 1)).astype("float32")
    scores = generator.uniform(0.05, 0.95, mask.shape).astype("float32")
    what = say("masks of 0 and 1 and predictions ({}, 1)", size)
    yield Task("binary", what, mask, scores, mask)
    for k in CLASS_COUNTS:
        classes = generator.integers(0, k, (BATCH, *_MASK)).astype("int32")
        pixels, target = _rows(generator, k, *_MASK), np.eye(k, dtype="float32")[classes]
        what = say("one-hot masks and predictions ({}, {})", size, k)
        yield Task("one-hot", what, target, pixels, target)
        what = say("masks of integers and predictions ({}, {})", size, k)
        yield Task("integers", what, classes, pixels, target)
