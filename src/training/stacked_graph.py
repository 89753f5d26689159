"""The graph that trains several replicas of a model at once, their weights stacked.

Every weight, metric and optimizer variable of R replicas is one tensor with R in front, and a step
is computed for all of them by ``tf.vectorized_map``: it costs hardly more than a step of one, where
a model is so small that starting its operations takes longer than computing them. Sums over a
stacked tensor may be taken in another order than over that of one replica, so a replica is near
what it would be alone, and not equal to it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from src.components import ClippedModel
from src.data.dataset import Dataset
from src.training.batches import shuffled
from src.training.checkpoint import build_optimizer
from src.training.graph import (
    PREDICT_BATCH,
    STEPS_A_CALL,
    is_ordinary,
    is_repeatable,
    predicted,
    repeat,
    rows_of,
    traced,
)
from src.training.per_class import class_f1

ELEMENTWISE = frozenset(
    {
        keras.optimizers.SGD,
        keras.optimizers.RMSprop,
        keras.optimizers.Adam,
        keras.optimizers.AdamW,
        keras.optimizers.Adamax,
        keras.optimizers.Nadam,
        keras.optimizers.Adagrad,
        keras.optimizers.Adadelta,
        keras.optimizers.Lion,
    }
)
"""Optimizers that update each number by itself, so that stacked ones are updated alike."""

Values = list[tf.Tensor]
Results = tuple[dict[str, Any], NDArray[np.float64]]
"""Of the metrics by name, shape (R,), and the F1 of each class, shape (R, K)."""


class NotStackableError(Exception):
    """Says why these replicas cannot be trained together."""


@dataclass(frozen=True)
class Epoch:
    """All replicas after an epoch; R stands in front of each shape.

    Attributes:
        state: weights, random generators and optimizer.
        train: the epoch's results.
        val: those of the validation split.
    """

    state: Values
    train: Results
    val: Results


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
        bytes_an_epoch: what an :class:`Epoch` takes.

    Raises:
        NotStackableError: for a model, loss or optimizer that is not trained alike when stacked.
    """

    def __init__(
        self, model: keras.Model, dataset: Dataset, replicas: int, batch_size: int
    ) -> None:
        _refuse_unlike(model)
        self.model = model
        self._replicas = replicas
        self.batch_size = batch_size
        build_optimizer(model)
        model.test_step((dataset.x_train[:1], dataset.y_train[:1]))  # creates the metrics' state
        if model.losses:
            raise NotStackableError("its layers add losses of their own, such as a regularizer's")
        self._counts = [variable for metric in model.metrics for variable in metric.variables]
        self._own = own_variables(model)
        self._optimizer = type(model.optimizer).from_config(model.optimizer.get_config())
        self._stacked = [self._repeated(variable) for variable in self._own]
        self._stacked_counts = [self._repeated(variable) for variable in self._counts]
        self._optimizer.build(self._stacked[: len(model.trainable_variables)])
        self._fresh_optimizer = [tf.identity(v.value) for v in self._optimizer.variables]
        model.reset_metrics()
        self._fresh_counts = [tf.identity(self._repeated(v).value) for v in self._counts]
        every = [*self._stacked, *self._optimizer.variables, *self._stacked_counts]
        self.bytes_an_epoch = sum(int(np.prod(v.shape)) * 4 for v in every)
        self._trace(dataset)

    def _trace(self, dataset: Dataset) -> None:
        x, y = (
            _stacked_rows(rows_of(a), self._replicas) for a in (dataset.x_train, dataset.y_train)
        )
        seeds, order = (
            tf.TensorSpec([self._replicas], tf.int64),
            tf.TensorSpec([None, None], tf.int64),
        )
        state = [*self._stacked, *self._optimizer.variables]
        self._order = traced(
            _orders, seeds, tf.TensorSpec([], tf.int32), tf.TensorSpec([], tf.int64)
        )
        self._reset = traced(lambda: _assign(self._stacked_counts, self._fresh_counts))
        self._train = traced(self._train_rows, x, y, order)
        self._test = traced(self._validate, x, y)
        self._results = traced(self._read_metrics)
        self._read = traced(lambda: _values(state))
        self._write = traced(lambda *values: _assign(state, values), *map(_spec, state))
        number = tf.TensorSpec([], tf.int32)
        one = [*self._own, *self.model.optimizer.variables]
        self._show = traced(_slicing(one), number, *map(_spec, state))
        self._predict = traced(
            lambda rows: self.model(rows, training=False), rows_of(dataset.x_train)
        )
        if not (is_repeatable(self._train) and is_repeatable(self._test)):
            raise NotStackableError("it draws random numbers, or calls Python, in ways of its own")

    def first_state(self, weights: Sequence[Values]) -> Values:
        """The state before the first epoch.

        Args:
            weights: of each replica, in the order of :func:`own_variables`.
        """
        return [
            *(tf.stack(values) for values in zip(*weights, strict=True)),
            *self._fresh_optimizer,
        ]

    def load(self, state: Values) -> None:
        """Goes on from a state."""
        self._write(*state)

    def epoch(self, data: "StackedData", seeds: tf.Tensor, number: int) -> Epoch:
        """Trains an epoch and validates.

        Args:
            data: of each replica.
            seeds: of the order of the batches, int64, shape (R,).
            number: of the epoch, counted from 0.
        """
        rows = int(data.y.shape[1])
        order = self._order(seeds, tf.constant(rows), tf.constant(number, tf.int64))
        self._reset()
        step = STEPS_A_CALL * self.batch_size
        for start in range(0, rows, step):
            self._train(data.x, data.y, order[:, start : start + step])
        train = _arrays(self._results())
        self._reset()
        self._test(data.x_val, data.y_val)
        results, f1 = _arrays(self._results())
        val = {name: results[name] for name in self._val_names}, f1
        return Epoch(self._read(), train, val)

    def show(self, state: Values, replica: int) -> None:
        """Puts the weights and optimizer of a replica into the model."""
        self._show(tf.constant(replica), *state)

    def predict(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """The logits of rows by the model as it is, shape (n, K)."""
        return predicted(self._predict, x)

    # --- in the graph ---------------------------------------------------------------------------
    def _train_rows(self, x: tf.Tensor, y: tf.Tensor, order: tf.Tensor) -> None:
        trainable = len(self.model.trainable_variables)

        def step(start: tf.Tensor) -> tf.Tensor:
            rows = order[:, start : start + self.batch_size]
            batch = tf.gather(x, rows, batch_dims=1), tf.gather(y, rows, batch_dims=1)
            inputs = (_values(self._stacked), _values(self._stacked_counts), *batch)
            gradients, others, counts = tf.vectorized_map(self._step, inputs)
            _assign([*self._stacked[trainable:], *self._stacked_counts], [*others, *counts])
            self._optimizer.apply(gradients)
            return start + self.batch_size

        repeat(step, tf.shape(order)[1])

    def _step(self, inputs: Any) -> tuple[Values, Values, Values]:
        """A training step of one replica: gradients, what else changed, and the metrics."""
        values, counts, x, y = inputs
        model, weights = self.model, self.model.trainable_variables
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(values[: len(weights)])
            scope = self._with_values(values, counts)
            with scope:
                y_pred = model(x, training=True)
                loss = model.compute_loss(x, y, y_pred, training=True)
                # The first of `metrics` is Keras's mean of the loss.
                model.metrics[0].update_state(loss, sample_weight=tf.shape(x)[0])
        gradients = tape.gradient(loss, values[: len(weights)])
        if any(gradient is None for gradient in gradients):
            raise NotStackableError("a weight of it has no gradient")
        with scope:
            if isinstance(model, ClippedModel):
                gradients = model.clip_and_log(gradients, weights)
            model.compute_metrics(x, y, y_pred)
        others = [scope.get_current_value(variable) for variable in self._own[len(weights) :]]
        return gradients, others, [scope.get_current_value(count) for count in self._counts]

    def _validate(self, x: tf.Tensor, y: tf.Tensor) -> None:
        def of_replica(inputs: Any) -> Values:
            values, counts, rows, labels = inputs
            with self._with_values(values, counts) as scope:
                self._val_names = list(self.model.test_step((rows, labels)))
            return [scope.get_current_value(count) for count in self._counts]

        def step(start: tf.Tensor) -> tf.Tensor:
            stop = start + PREDICT_BATCH
            inputs = (_values(self._stacked), _values(self._stacked_counts))
            batch = x[:, start:stop], y[:, start:stop]
            _assign(self._stacked_counts, tf.vectorized_map(of_replica, (*inputs, *batch)))
            return stop

        repeat(step, tf.shape(x)[1])

    def _read_metrics(self) -> Any:
        def of_replica(counts: Values) -> Any:
            with self._with_values([], counts):
                return dict(self.model.get_metrics_result()), class_f1(self.model)

        return tf.vectorized_map(of_replica, _values(self._stacked_counts))

    def _with_values(self, values: Values, counts: Values) -> keras.StatelessScope:
        """Where the model's variables have the values of one replica."""
        own = list(zip(self._own, values, strict=False))  # no values: only the metrics are asked
        step = self.model.optimizer.iterations, self._optimizer.iterations.value
        mapping = [*own, *zip(self._counts, counts, strict=True), step]
        return keras.StatelessScope(state_mapping=mapping, initialize_variables=False)

    def _repeated(self, variable: Any) -> keras.Variable:
        value = tf.stack([variable.value] * self._replicas)
        return keras.Variable(
            value, dtype=variable.dtype, trainable=variable.trainable, name=variable.name
        )


@dataclass(frozen=True)
class StackedData:
    """Training and validation split of each replica.

    Attributes:
        x: float32, shape (R, n, ...).
        y: int64, shape (R, n).
        x_val: float32, shape (R, n_val, ...).
        y_val: int64, shape (R, n_val).
    """

    x: tf.Tensor
    y: tf.Tensor
    x_val: tf.Tensor
    y_val: tf.Tensor

    @classmethod
    def of(cls, datasets: Sequence[Dataset]) -> "StackedData":
        """Stacks data sets of one shape."""
        names = ("x_train", "y_train", "x_val", "y_val")
        return cls(*(tf.constant(np.stack([getattr(d, n) for d in datasets])) for n in names))


def own_variables(model: keras.Model) -> list[Any]:
    """Weights, trainable ones first, and random generators: all but metrics and optimizer."""
    counts = {id(variable) for metric in model.metrics for variable in metric.variables}
    trainable = list(model.trainable_variables)
    known = counts | {id(variable) for variable in trainable}
    return trainable + [variable for variable in model.variables if id(variable) not in known]


def _refuse_unlike(model: keras.Model) -> None:
    """Refuses what would not be trained by itself, or not by Keras's ways."""
    optimizer = model.optimizer
    if not is_ordinary(model):
        raise NotStackableError(f"{type(model).__name__} has a training step of its own")
    if type(optimizer) not in ELEMENTWISE:
        raise NotStackableError(f"{type(optimizer).__name__} may look at a weight as a whole")
    if any((optimizer.clipnorm, optimizer.global_clipnorm)):
        raise NotStackableError("the optimizer clips by a norm; model.clip_norm can be stacked")
    if any(variable.constraint is not None for variable in model.trainable_variables):
        raise NotStackableError("a weight of it has a constraint")


def _orders(seeds: tf.Tensor, rows: tf.Tensor, epoch: tf.Tensor) -> tf.Tensor:
    return tf.map_fn(lambda seed: shuffled(rows, seed, epoch), seeds)


def _slicing(variables: Sequence[Any]) -> Callable[..., None]:
    """What puts a replica's part of stacked values into variables; numbers that all share stay."""

    def put(replica: tf.Tensor, *stacked: tf.Tensor) -> None:
        shared = [
            value.shape.rank == len(v.shape) for value, v in zip(stacked, variables, strict=True)
        ]
        _assign(
            variables,
            [v if same else v[replica] for v, same in zip(stacked, shared, strict=True)],
        )

    return put


def _assign(variables: Sequence[Any], values: Sequence[Any]) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def _values(variables: Sequence[Any]) -> Values:
    return [tf.convert_to_tensor(variable.value) for variable in variables]


def _spec(variable: Any) -> tf.TensorSpec:
    return tf.TensorSpec(variable.shape, variable.dtype)


def _stacked_rows(spec: tf.TensorSpec, replicas: int) -> tf.TensorSpec:
    return tf.TensorSpec([replicas, *spec.shape], spec.dtype)


def _arrays(results: Any) -> Any:
    return tf.nest.map_structure(lambda value: value.numpy(), results)
