"""Training steps to be timed: one network, and calls of Keras's own compiled step."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.timing import typed
from benchmarks.timing.measure import seconds

if TYPE_CHECKING:
    import keras

FEATURES, HIDDEN, BATCH = 64, (64, 64), 64
CALLS = 20
"""Steps in one turn: so short that both sides of a turn see the machine equally busy."""
NOTE = f"MLP {HIDDEN}, batches of {BATCH}, one thread; times of one step."


def start() -> None:
    """Sets TensorFlow up as a training of this project does: one thread, quiet."""
    typed.start()
    import tensorflow as tf

    if tf.config.threading.get_intra_op_parallelism_threads() != 1:
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)


def batch_of(classes: int) -> tuple[Any, Any, Any]:
    """Features, integer labels and one-hot labels of one batch."""
    import tensorflow as tf

    random = np.random.default_rng(0)
    x = random.normal(size=(BATCH, FEATURES)).astype(np.float32)
    y = random.integers(0, classes, BATCH)
    return tf.constant(x), tf.constant(y), tf.one_hot(y, classes)


def network(classes: int, kind: Callable[..., Any] | None = None, **options: Any) -> keras.Model:
    """An MLP with fixed weights; the logits are float32 under every dtype policy.

    Args:
        classes: K.
        kind: the model's class; None takes ``keras.Model``.
        **options: of the class.
    """
    import keras

    keras.utils.set_random_seed(0)
    inputs = x = keras.Input((FEATURES,))
    for width in HIDDEN:
        x = keras.layers.Dense(width, activation="relu")(x)
    outputs = keras.layers.Dense(classes, dtype="float32")(x)
    return (kind or keras.Model)(inputs, outputs, **options)


def step_of(model: keras.Model, x: Any, y: Any, steps: int) -> Callable[[], float]:
    """Times calls of the compiled step that ``fit`` calls.

    Args:
        model: compiled.
        x: one batch, used again and again.
        y: its labels.
        steps: calls in one measurement.

    Returns:
        A function that measures the seconds of one step.
    """
    import tensorflow as tf

    batches = iter(tf.data.Dataset.from_tensors((x, y)).repeat())
    model.make_train_function()
    step = model.train_function

    def several() -> None:
        for _ in range(steps):
            logs = step(batches)
        float(np.asarray(next(iter(logs.values()))))

    model.reset_metrics()
    return lambda: seconds(several) / steps


def graph_of(model: keras.Model, x: Any, y: Any, steps: int) -> Callable[[], float]:
    """Times a model's steps within one graph: their operations, and nothing of Python.

    Args:
        model: compiled.
        x: one batch, used again and again.
        y: its labels.
        steps: in one call of the graph.

    Returns:
        A function that measures the seconds of one step.
    """
    import tensorflow as tf

    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    model.test_step((x, y))  # creates the metrics' state

    def step(number: tf.Tensor) -> tf.Tensor:
        model.train_step((x, y))
        return number + 1

    @tf.function(autograph=False)
    def several() -> dict[str, tf.Tensor]:
        tf.while_loop(lambda number: number < steps, step, [tf.constant(0)], parallel_iterations=1)
        return dict(model.get_metrics_result())

    several()
    return lambda: seconds(lambda: float(several()["loss"])) / steps
