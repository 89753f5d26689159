"""F1 of each class after an epoch, from the confusion matrix that the macro-F1 metric holds anyway.

Read once an epoch, so it costs the training step nothing.
"""

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import keras
import tensorflow as tf

MOST_CLASSES = 50
"""Up to so many classes get a curve each; the confusion matrix of the test split has them all."""


@runtime_checkable
class HasClassScores(Protocol):
    """A metric that knows the F1 of each class."""

    def class_scores(self) -> dict[str, Any]:
        """Tensors (K,) by name, ``f1`` among them."""


def class_f1(model: keras.Model) -> tf.Tensor:
    """F1 of each class so far, float64 (K,); (0,) without such a metric, or with many classes."""
    able = (metric for metric in _leaf_metrics(model) if isinstance(metric, HasClassScores))
    metric = next(able, None)
    none = tf.zeros([0], tf.float64)
    if metric is None:
        return none
    f1 = tf.convert_to_tensor(metric.class_scores()["f1"])
    return none if f1.shape[0] is None or f1.shape[0] > MOST_CLASSES else f1


def named(f1: Sequence[float], prefix: str = "") -> dict[str, float]:
    """Scores as logs: ``f1_class_<k>``, after a prefix."""
    return {f"{prefix}f1_class_{k}": float(value) for k, value in enumerate(f1)}


class PerClassF1(keras.callbacks.Callback):
    """Adds ``f1_class_<k>`` and ``val_f1_class_<k>`` to the epoch's logs, where ``fit`` trains.

    Comes before every callback that reads the logs.
    """

    def __init__(self) -> None:
        super().__init__()
        self._train: dict[str, float] = {}

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Validation begins: the metrics still hold the training epoch."""
        self._train = named(class_f1(self.model).numpy())

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """The metrics hold the validation split."""
        if logs is not None:
            logs.update(self._train)
            logs.update(named(class_f1(self.model).numpy(), "val_"))


def _leaf_metrics(model: keras.Model) -> list[keras.metrics.Metric]:
    """The metrics of a model, those inside ``compile_metrics`` included."""
    found: list[keras.metrics.Metric] = []
    for metric in model.metrics:
        found += getattr(metric, "metrics", None) or [metric]
    return found
