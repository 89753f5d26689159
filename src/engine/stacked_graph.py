"""The graph that trains several replicas of a model at once, their weights stacked.

Every weight, metric and optimizer variable of R replicas is one tensor with R in front, and a step
is computed for all of them by ``tf.vectorized_map``: it costs hardly more than a step of one, where
a model is so small that starting its operations takes longer than computing them. Sums over a
stacked tensor may be taken in another order than over that of one replica, so a replica is near
what it would be alone, and not equal to it.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from src.components import ClippedModel
from src.data.dataset import Dataset
from src.engine.batches import shuffled
from src.engine.checkpoint import build_optimizer
from src.engine.per_class import class_f1
from src.engine.short_loss import short_cross_entropy
from src.engine.stacked_optimizer import NotStackableError, StackedOptimizer
from src.engine.stacked_state import Epoch, StackedData, State, Values
from src.engine.traced_hyperparameters import LossNumbers
from src.engine.tracing import (
    PREDICT_BATCH,
    STEPS_A_CALL,
    is_ordinary,
    is_repeatable,
    make_metrics,
    predicted,
    repeat,
    rows_of,
    traced,
)


class StackedGraph:
    """Training and validation of R replicas, and prediction by one of them.

    Args:
        model: compiled; it belongs to the graph from now on.
        dataset: of any replica: shapes and types of one example count.
        replicas: R.
        batch_size: rows of each replica in a training step.

    Attributes:
        model: one replica at a time, see :meth:`show`.
        batch_size: as given.
        bytes_an_epoch: what a :class:`State` takes.

    Raises:
        NotStackableError: for a model, loss or optimizer that is not trained alike when stacked.
    """

    def __init__(
        self, model: keras.Model, dataset: Dataset, replicas: int, batch_size: int
    ) -> None:
        if not is_ordinary(model):
            raise NotStackableError(f"{type(model).__name__} has a training step of its own")
        self.model = model
        self.batch_size = batch_size
        self._replicas = replicas
        build_optimizer(model)
        if model.losses:
            raise NotStackableError("its weights have regularizers")
        make_metrics(model, dataset)
        model.reset_metrics()
        self._trainable = list(model.trainable_variables)
        self._own_others = untrained_variables(model)
        self._own_counts = [variable for metric in model.metrics for variable in metric.variables]
        self._optimizer = StackedOptimizer(model.optimizer, self._trainable, replicas)
        self._others = [self._repeated(variable) for variable in self._own_others]
        self._counts = [self._repeated(variable) for variable in self._own_counts]
        self._fresh_counts = _values(self._counts)
        self._fresh_optimizer = _values(self._optimizer.variables)
        every = [self._optimizer.weights, *self._others, *self._optimizer.variables]
        self.bytes_an_epoch = sum(int(np.prod(variable.shape)) * 4 for variable in every)
        self._numbers = LossNumbers(model)
        with short_cross_entropy(), self._numbers.in_place():
            self._trace(dataset)
        if not all(map(self._numbers.are_read_by, (self._train, self._test))):
            raise NotStackableError("its loss does not compute with the numbers that it names")

    def _trace(self, dataset: Dataset) -> None:
        train, validation = (dataset.x_train, dataset.y_train), (dataset.x_val, dataset.y_val)
        order = tf.TensorSpec([None, None], tf.int64)
        self._train = traced(self._train_rows, *self._specs(train), order)
        self._test = traced(self._validate, *self._specs(validation))
        self._results = traced(self._take_results)
        any_row = rows_of(dataset.x_train)
        self._predict = traced(lambda rows: self.model(rows, training=False), any_row)
        if not (is_repeatable(self._train) and is_repeatable(self._test)):
            raise NotStackableError("it draws random numbers, or calls Python, in ways of its own")

    def first_state(self, replicas: Sequence[tuple[Values, Values]]) -> State:
        """The state before the first epoch.

        Args:
            replicas: of each, the values of its weights and of :func:`untrained_variables`.
        """
        weights, others = (
            [tf.stack(values) for values in zip(*one, strict=True)]
            for one in zip(*replicas, strict=True)
        )
        return State(self._optimizer.joined(weights), others, self._fresh_optimizer)

    def load_loss(self, loss: Any) -> None:
        """Computes with the numbers of a loss; the model's own becomes like it.

        Args:
            loss: of a run with the same key.
        """
        self._numbers.load(loss)

    def load(self, state: State) -> None:
        """Goes on from a state, wherever training was interrupted."""
        _assign(self._counts, self._fresh_counts)
        self._optimizer.weights.assign(state.weights)
        _assign(self._others, state.others)
        _assign(self._optimizer.variables, state.optimizer)

    def epoch(self, data: StackedData, seeds: Sequence[int], epoch: int) -> Epoch:
        """Trains an epoch and validates.

        Args:
            data: of each replica.
            seeds: of the order of the batches, one a replica.
            epoch: counted from 0.
        """
        rows = int(data.y.shape[1])
        numbers = tf.range(rows, dtype=tf.int64)
        step = STEPS_A_CALL * self.batch_size
        with _as_traced():
            order = tf.stack([shuffled(numbers, seed, epoch) for seed in seeds])
            for start in range(0, rows, step):
                self._train(data.x, data.y, order[:, start : start + step])
            train = _arrays(self._results())
            self._test(data.x_val, data.y_val)
            results, f1 = _arrays(self._results())
        state = State(
            tf.convert_to_tensor(self._optimizer.weights.value),
            _values(self._others),
            _values(self._optimizer.variables),
        )
        return Epoch(state, train, ({name: results[name] for name in self._val_names}, f1))

    def show(self, state: State, replica: int) -> None:
        """Puts the weights of a replica into the model."""
        _assign(self._trainable, self._optimizer.picked(replica, state.weights))
        _assign(self._own_others, [value.numpy()[replica] for value in state.others])

    def weights_of(self, state: State, otherwise: State) -> State:
        """The weights of one state; what ``get_weights`` of a model leaves out of the other."""
        weights = {id(variable) for variable in self.model.weights}
        own = zip(self._own_others, state.others, otherwise.others, strict=True)
        others = [mine if id(v) in weights else other for v, mine, other in own]
        return State(state.weights, others, otherwise.optimizer)

    def show_optimizer(self, state: State, replica: int) -> None:
        """Puts the optimizer's variables of a replica into those of the model's optimizer."""
        values = self._optimizer.of_replica(replica, state.optimizer)
        _assign(self.model.optimizer.variables, values)

    def predict(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """The logits of rows by the model as it is, shape (n, K)."""
        return predicted(self._predict, x)

    # --- in the graph ---------------------------------------------------------------------------
    def _train_rows(self, x: tf.Tensor, y: tf.Tensor, order: tf.Tensor) -> None:
        def step(start: tf.Tensor) -> tf.Tensor:
            rows = order[:, start : start + self.batch_size]
            batch = tf.gather(x, rows, batch_dims=1), tf.gather(y, rows, batch_dims=1)
            gradients, others, counts = tf.vectorized_map(self._step, (*self._now(), *batch))
            _assign([*self._others, *self._counts], [*others, *counts])
            self._optimizer.apply(gradients)
            return start + self.batch_size

        repeat(step, tf.shape(order)[1])

    def _step(self, inputs: Any) -> tuple[Values, Values, Values]:
        """A training step of one replica: gradients, what else changed, and the metrics."""
        weights, others, counts, x, y = inputs
        model = self.model
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(weights)
            scope = self._with_values(weights, others, counts)
            with scope:
                y_pred = model(x, training=True)
                if scope.losses:
                    raise NotStackableError("its layers add losses of their own")
                loss = model.compute_loss(x, y, y_pred, training=True)
                # The first of `metrics` is Keras's mean of the loss.
                model.metrics[0].update_state(loss, sample_weight=tf.shape(x)[0])
        gradients = tape.gradient(loss, weights)
        if any(gradient is None for gradient in gradients):
            raise NotStackableError("a weight has no gradient")
        with scope:
            if isinstance(model, ClippedModel):
                gradients = model.clip_and_log(gradients, self._trainable)
            model.compute_metrics(x, y, y_pred)
        changed = [scope.get_current_value(variable) for variable in self._own_others]
        return gradients, changed, [scope.get_current_value(count) for count in self._own_counts]

    def _validate(self, x: tf.Tensor, y: tf.Tensor) -> None:
        def of_replica(inputs: Any) -> Values:
            *values, rows, labels = inputs
            with self._with_values(*values) as scope:
                self._val_names = list(self.model.test_step((rows, labels)))
            return [scope.get_current_value(count) for count in self._own_counts]

        for start in range(0, x.shape[1], PREDICT_BATCH):
            batch = (part[:, start : start + PREDICT_BATCH] for part in (x, y))
            _assign(self._counts, tf.vectorized_map(of_replica, (*self._now(), *batch)))

    def _take_results(self) -> Any:
        """What the metrics say of each replica; after that they count anew."""

        def of_replica(counts: Values) -> Any:
            with self._with_values([], [], counts):
                return dict(self.model.get_metrics_result()), class_f1(self.model)

        results = tf.vectorized_map(of_replica, _values(self._counts))
        _assign(self._counts, self._fresh_counts)
        return results

    def _now(self) -> tuple[Values, Values, Values]:
        """Weights, others and metrics of all replicas, as the step finds them."""
        weights = tf.convert_to_tensor(self._optimizer.weights.value)
        return self._optimizer.parted(weights), _values(self._others), _values(self._counts)

    def _with_values(self, weights: Values, others: Values, counts: Values) -> keras.StatelessScope:
        """Where the model's variables have the values of one replica."""
        mapping = [
            *zip(self._trainable, weights, strict=False),  # none where only metrics are asked
            *zip(self._own_others, others, strict=False),
            *zip(self._own_counts, counts, strict=True),
            (self.model.optimizer.iterations, self._optimizer.iterations.value),
        ]
        return keras.StatelessScope(mapping, collect_losses=True, initialize_variables=False)

    def _specs(self, arrays: Sequence[NDArray[Any]]) -> list[tf.TensorSpec]:
        return [tf.TensorSpec([self._replicas, *array.shape], array.dtype) for array in arrays]

    def _repeated(self, variable: Any) -> keras.Variable:
        value = np.repeat(keras.ops.convert_to_numpy(variable)[None], self._replicas, axis=0)
        return keras.Variable(value, dtype=variable.dtype, trainable=False, name=variable.name)


def untrained_variables(model: keras.Model) -> list[Any]:
    """Random generators, and weights that are not trained."""
    known = {id(variable) for metric in model.metrics for variable in metric.variables}
    known |= {id(variable) for variable in model.trainable_variables}
    return [variable for variable in model.variables if id(variable) not in known]


@contextmanager
def _as_traced() -> Iterator[None]:
    """Without TensorFlow's rewriting of graphs, which takes longer than it saves here."""
    before = tf.config.optimizer.get_experimental_options().get("disable_meta_optimizer", False)
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    try:
        yield
    finally:
        tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": before})


def _assign(variables: Sequence[Any], values: Sequence[Any]) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def _values(variables: Sequence[Any]) -> Values:
    return [tf.convert_to_tensor(variable.value) for variable in variables]


def _arrays(results: Any) -> Any:
    return tf.nest.map_structure(lambda value: value.numpy(), results)
