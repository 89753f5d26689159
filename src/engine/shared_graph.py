"""The graph of a training, traced once and run by every run of the same shape.

Runs of a sweep that differ in seed, splits or initial weights alone are the same computation on
other numbers. Tracing takes longer than a short training, so the graph of the first run is kept:
later runs load their state into its variables. Each run is computed by itself, by the operations
that ``model.fit`` would run, in their order, so its bits are those of ``fit`` and depend on no
neighbour. What ``fit`` spends on input iterators and on a call of Python per step is saved.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from src.components import ClippedModel
from src.data.dataset import Dataset, Features, Pixels
from src.data.rows_at_once import rows_at_once
from src.engine.batches import decoded, epoch_order, in_parts
from src.engine.checkpoint import build_optimizer, variables_of
from src.engine.traced_hyperparameters import TracedHyperparameters

STEPS_A_CALL = 64
"""Training steps in one call of the graph, at most: an interruption is heard between calls."""
BYTES_A_CALL = 16 * 2**20
"""Of features that are given to one call, about, where a batch has not more."""
Callbacks = Sequence[keras.callbacks.Callback]
Results = dict[str, Any]
"""Values of the metrics by name; of a metric that has several, a mapping."""


class TrainingGraph:
    """Training, validation and prediction of one model, loss, optimizer and set of metrics.

    Args:
        model: compiled; it belongs to the graph from now on.
        dataset: any of those that are to be trained on: shapes and types of one example count.
        batch_size: rows in a training step; the last one of an epoch may have fewer.
        measure: whether training steps are measured, too, as validation always is.

    Attributes:
        model: holds the state of the run under way; callbacks are given this model.
    """

    def __init__(
        self, model: keras.Model, dataset: Dataset, batch_size: int, *, measure: bool = True
    ) -> None:
        self.model = model
        self._batch_size = batch_size
        build_optimizer(model)
        _make_metric_variables(model, dataset)
        self._hyperparameters = TracedHyperparameters(model)
        self._predict_batch = rows_at_once(dataset.input_shape)
        x, y = (_any_number_of_rows(array) for array in (dataset.x_train, dataset.y_train))
        x_val = _any_number_of_rows(dataset.x_val)
        self._reset = _traced(model.reset_metrics)
        with self._hyperparameters.in_place():
            self._train = _traced(_training(model, batch_size, measure=measure), x, y)
            self._test = _traced(_validation(model, self._predict_batch), x_val, y)
        self._predict = _traced(lambda rows: model(decoded(rows), training=False), x_val)

    @property
    def functions(self) -> tuple[Any, ...]:
        """The concrete functions that compute a training."""
        return self._train, self._test

    def load(self, model: keras.Model) -> None:
        """Takes over the state and the loss of a model that was built for the same key."""
        build_optimizer(model)
        _copy(model, self.model)
        self._hyperparameters.load(model.loss)

    def load_state(self, values: Sequence[NDArray[Any]], loss: Any, learning_rate: float) -> None:
        """The same without a model of the run's own.

        Args:
            values: of :func:`variables_of` a model that begins as the run does.
            loss: of the run.
            learning_rate: of the run.
        """
        for variable, value in zip(variables_of(self.model), values, strict=True):
            variable.assign(value)
        self.model.optimizer.learning_rate = learning_rate
        self._hyperparameters.load(loss)

    def give_back(self, model: keras.Model) -> None:
        """Hands the state over to that model."""
        _copy(self.model, model)

    def fit(self, dataset: Dataset, callbacks: Callbacks, epochs: range, seed: int) -> None:
        """What ``model.fit`` does with a validation split, but for batch hooks.

        Args:
            dataset: trained on ``train``, validated on ``val`` after each epoch.
            callbacks: Keras callbacks.
            epochs: counted from 0, one after the other, unless a callback stops it before.
            seed: of the order of the batches.
        """
        train, val = (dataset.x_train, dataset.y_train), (dataset.x_val, dataset.y_val)
        rows_a_call = _rows_a_call(dataset.x_train, self._batch_size)
        val_rows_a_call = _rows_a_call(dataset.x_val, self._predict_batch)
        rows_of, val_order = epoch_order(dataset, seed), np.arange(len(dataset.y_val))
        chain = keras.callbacks.CallbackList(
            list(callbacks),
            model=self.model,
            epochs=epochs.stop,
            steps=-(-len(dataset.y_train) // self._batch_size),
            verbose=0,
        )
        self.model.stop_training = False
        logs: dict[str, Any] = {}
        chain.on_train_begin()
        for epoch in epochs:
            chain.on_epoch_begin(epoch)
            self._reset()
            for part in in_parts(*train, rows_of(epoch).numpy(), rows_a_call):
                results = self._train(*part)
            chain.on_test_begin()
            self._reset()
            for part in in_parts(*val, val_order, val_rows_a_call):
                validation = self._test(*part)
            chain.on_test_end(validation)
            logs = results | {f"val_{name}": value for name, value in validation.items()}
            chain.on_epoch_end(epoch, logs)
            if self.model.stop_training:
                break
        self.model.optimizer.finalize_variable_values(self.model.trainable_weights)
        chain.on_train_end(logs)

    def predict(self, x: Features | Pixels) -> NDArray[np.float32]:
        """The logits of rows, shape (n, K), as many at a time as ``fit`` validates at a time."""
        size = self._predict_batch
        starts = range(0, len(x), size)
        parts = [self._predict(tf.constant(x[i : i + size])).numpy() for i in starts]
        return np.concatenate(parts).astype(np.float32, copy=False)


def _training(model: keras.Model, batch_size: int, *, measure: bool) -> Callable[..., Results]:
    """Without measuring, a step of the project's model takes two thirds of the time."""
    measured = measure or not isinstance(model, ClippedModel)

    def train(x: tf.Tensor, y: tf.Tensor) -> Results:
        def step(start: tf.Tensor) -> tf.Tensor:
            stop = start + batch_size
            batch = decoded(x[start:stop]), y[start:stop]
            model.train_step(batch) if measured else model.update(*batch)
            return stop

        _repeat(step, tf.size(y))
        return dict(model.get_metrics_result()) if measured else {}

    return train


def _validation(model: keras.Model, batch_size: int) -> Callable[..., Results]:
    def test(x: tf.Tensor, y: tf.Tensor) -> Results:
        names: list[str] = []

        def step(start: tf.Tensor) -> tf.Tensor:
            stop = start + batch_size
            names[:] = model.test_step((decoded(x[start:stop]), y[start:stop]))
            return stop

        _repeat(step, tf.size(y))
        results = model.get_metrics_result()
        return _flat({name: results[name] for name in names})

    return test


def _rows_a_call(x: Features | Pixels, batch_size: int) -> int:
    """Rows that are given to one call of the graph: whole batches, as many as memory bears."""
    bytes_a_batch = batch_size * x[:1].nbytes
    return batch_size * min(max(BYTES_A_CALL // bytes_a_batch, 1), STEPS_A_CALL)


def _flat(results: Mapping[str, Any]) -> Results:
    """Values by name alone, as ``evaluate`` gives them."""
    flat: Results = {}
    for name, value in results.items():
        flat |= _flat(value) if isinstance(value, Mapping) else {name: value}
    return flat


def _repeat(step: Callable[[tf.Tensor], tf.Tensor], end: tf.Tensor) -> None:
    """Calls a step with 0, then with what it returned, up to the end."""
    tf.while_loop(lambda start: start < end, step, [tf.constant(0)], parallel_iterations=1)


def _traced(function: Callable[..., Any], *inputs: tf.TensorSpec) -> Any:
    """A function as a graph for inputs of these shapes and types."""
    return tf.function(function, autograph=False).get_concrete_function(*inputs)


def _any_number_of_rows(array: NDArray[Any]) -> tf.TensorSpec:
    return tf.TensorSpec([None, *array.shape[1:]], array.dtype)


def _make_metric_variables(model: keras.Model, dataset: Dataset) -> None:
    """Metrics make their variables when they see the first labels."""
    x, y = tf.constant(dataset.x_train[:1]), tf.constant(dataset.y_train[:1])
    model.compute_metrics(decoded(x), y, tf.zeros([1, *model.output_shape[1:]]))


def _copy(source: keras.Model, target: keras.Model) -> None:
    for to, value in zip(variables_of(target), variables_of(source), strict=True):
        to.assign(value)
