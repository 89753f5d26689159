"""What both graphs of a training are traced with: :mod:`graph` and :mod:`stacked_graph`."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from src.components import ClippedModel
from src.data.dataset import Dataset

PREDICT_BATCH = 1024
STEPS_A_CALL = 64
"""Training steps in one call: an interruption is heard between calls."""
OWN_WAYS = (
    "fit",
    "evaluate",
    "train_step",
    "test_step",
    "predict_step",
    "compute_loss",
    "compute_metrics",
    "get_metrics_result",
    "reset_metrics",
    "make_train_function",
    "make_test_function",
    "make_predict_function",
)
"""A model that overrides one of these may do anything in it, and goes its own way."""
FOREIGN = {"PyFunc", "PyFuncStateless", "EagerPyFunc"}
"""Operations that call Python back; what they do is in no graph."""


def repeat(step: Callable[[tf.Tensor], tf.Tensor], end: tf.Tensor) -> None:
    """Calls a step with 0, then with what it returned, up to the end."""
    tf.while_loop(lambda start: start < end, step, [tf.constant(0)], parallel_iterations=1)


def traced(function: Callable[..., Any], *inputs: tf.TensorSpec) -> Any:
    """A function as a graph for inputs of these shapes and types."""
    return tf.function(function, autograph=False).get_concrete_function(*inputs)


def rows_of(array: NDArray[Any]) -> tf.TensorSpec:
    """Any number of rows such as those of an array."""
    return tf.TensorSpec([None, *array.shape[1:]], array.dtype)


def make_metrics(model: keras.Model, dataset: Dataset) -> None:
    """Has the metrics make their variables, which they do when they see the first labels."""
    x, y = tf.constant(dataset.x_train[:1]), tf.constant(dataset.y_train[:1])
    model.compute_metrics(x, y, tf.zeros([1, *model.output_shape[1:]]))


def predicted(
    predict: Callable[[tf.Tensor], tf.Tensor], x: NDArray[np.float32]
) -> NDArray[np.float32]:
    """The logits of rows, shape (n, K), so many at a time as ``fit`` validates at a time."""
    starts = range(0, len(x), PREDICT_BATCH)
    parts = [predict(tf.constant(x[start : start + PREDICT_BATCH])).numpy() for start in starts]
    return np.concatenate(parts)


def is_ordinary(model: keras.Model) -> bool:
    """Whether the model trains by Keras's own ways, or by those of the project's model."""
    known = (keras.Model, ClippedModel)
    alike = all(
        any(getattr(type(model), name) is getattr(of, name) for of in known) for name in OWN_WAYS
    )
    return alike and model.distribute_strategy is tf.distribute.get_strategy()


def is_repeatable(function: Any) -> bool:
    """Whether nothing in a graph keeps a state that :func:`variables_of` does not know.

    A random operation with a seed of its own goes on counting in its kernel, from run to run.
    """
    whole = function.graph.as_graph_def()
    nodes = [*whole.node, *(node for part in whole.library.function for node in part.node_def)]
    return not any("seed2" in node.attr or node.op in FOREIGN for node in nodes)
