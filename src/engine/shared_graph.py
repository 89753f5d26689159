"""The graph of a training, traced once and run by every run of the same shape.

Runs of a sweep that differ in seed, splits or initial weights alone are the same computation on
other numbers. Tracing it takes longer than a short training, so it is traced for the first run of a
process and kept: later ones load their state into its variables and run it. Each run is computed by
itself, by the operations that ``model.fit`` would run, in their order, so its bits are those of
``fit`` and depend on no neighbour; what ``fit`` spends on input iterators and on a call of Python a
step is left out.

What cannot be shared, :func:`shared_graph` says so by None, and is trained by ``fit``.
"""

import json
import logging
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from src.data.dataset import Dataset
from src.engine.batches import shuffled
from src.engine.build import facts_of, fill
from src.engine.checkpoint import build_optimizer, variables_of
from src.engine.epochs import Results, run_epochs
from src.engine.per_class import class_f1
from src.engine.traced_hyperparameters import LossNumbers, loss_key
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

log = logging.getLogger(__name__)

MOST_GRAPHS = 8
"""Graphs kept; a sweep over more losses than this traces some of them again."""
OF_ONE_RUN = ("seed", "epochs", "patience", "monitor", "mode", "progress")
"""Training keys that the graph does not depend on."""
BATCH_HOOKS = (
    "on_batch_begin",
    "on_batch_end",
    "on_train_batch_begin",
    "on_train_batch_end",
    "on_test_batch_begin",
    "on_test_batch_end",
)
Traced = tuple[dict[str, tf.Tensor], tf.Tensor]
"""Results of the metrics by name, and the F1 of each class."""

_graphs: OrderedDict[str, "TrainingGraph | None"] = OrderedDict()
"""By key, the last used at the end; None where it turned out that it cannot be shared."""


class TrainingGraph:
    """Training, validation and prediction of one model, loss, optimizer and set of metrics.

    Args:
        model: compiled; it belongs to the graph from now on.
        dataset: any of those that are to be trained on: shapes and types of one example count.
        batch_size: rows in a training step; the last one of an epoch may have fewer.

    Attributes:
        model: holds the state of the run under way; callbacks are given this model.
        numbers: those of its loss.
    """

    def __init__(self, model: keras.Model, dataset: Dataset, batch_size: int) -> None:
        self.model = model
        self._rows_a_call = STEPS_A_CALL * batch_size
        build_optimizer(model)
        make_metrics(model, dataset)
        self.numbers = LossNumbers(model)
        x, y = (rows_of(array) for array in (dataset.x_train, dataset.y_train))
        order = tf.TensorSpec([None], tf.int64)
        self._reset = traced(model.reset_metrics)
        with self.numbers.in_place():
            self._train = traced(_training(model, batch_size), x, y, order)
            self._test = traced(_validation(model), x, y)
        self._predict = traced(lambda rows: model(rows, training=False), x)

    def load(self, model: keras.Model) -> None:
        """Takes over the state and the loss of a model that was built for the same key."""
        build_optimizer(model)
        _copy(model, self.model)
        self.numbers.load(model.loss)

    def give_back(self, model: keras.Model) -> None:
        """Hands the state over to that model."""
        _copy(self.model, model)

    def fit(
        self,
        dataset: Dataset,
        callbacks: Sequence[keras.callbacks.Callback],
        *,
        seed: int,
        first_epoch: int,
        epochs: int,
    ) -> None:
        """What ``model.fit`` does with a validation split, but for batch hooks.

        Args:
            dataset: trained on ``train``, validated on ``val`` after each epoch.
            callbacks: Keras callbacks.
            seed: of the order of the batches.
            first_epoch: counted from 0.
            epochs: where training ends, unless a callback stops it before.
        """
        x, y = tf.constant(dataset.x_train), tf.constant(dataset.y_train)
        x_val, y_val = tf.constant(dataset.x_val), tf.constant(dataset.y_val)
        rows = len(dataset.y_train)
        numbers = tf.range(rows, dtype=tf.int64)

        def train(epoch: int) -> Results:
            self._reset()
            order = shuffled(numbers, seed, epoch)
            for start in range(0, rows, self._rows_a_call):
                results, f1 = self._train(x, y, order[start : start + self._rows_a_call])
            return results, f1.numpy()

        def validate() -> Results:
            self._reset()
            results, f1 = self._test(x_val, y_val)
            return results, f1.numpy()

        steps = -(-rows // (self._rows_a_call // STEPS_A_CALL))
        run_epochs(
            self.model,
            callbacks,
            train,
            validate,
            steps=steps,
            first_epoch=first_epoch,
            epochs=epochs,
        )

    def predict(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """The logits of rows, shape (n, K)."""
        return predicted(self._predict, x)


def shared_graph(
    config: Mapping[str, Any],
    dataset: Dataset,
    callbacks: Sequence[keras.callbacks.Callback],
    build: Callable[[], keras.Model],
) -> TrainingGraph | None:
    """The graph of a config's runs: of an earlier run in this process, or traced now.

    Args:
        config: the resolved config.
        dataset: gives ``auto`` its meaning.
        callbacks: of the caller's; those with batch hooks need ``fit``.
        build: makes the config's compiled model.

    Returns:
        None where the run has to be trained by ``model.fit``.
    """
    if not may_be_traced(config, callbacks):
        return None
    key = shape_key(config, dataset)
    if key in _graphs:
        _graphs.move_to_end(key)
        return _graphs[key]
    model = build()
    _graphs[key] = (
        _traced(model, dataset, config["training"]["batch_size"]) if is_ordinary(model) else None
    )
    if len(_graphs) > MOST_GRAPHS:
        _graphs.popitem(last=False)
    return _graphs[key]


def may_be_traced(config: Mapping[str, Any], callbacks: Sequence[keras.callbacks.Callback]) -> bool:
    """Whether the config and the callbacks leave the epochs to a graph of their own."""
    training = config["training"]
    fits = training["jit_compile"] or training["distribute"] != "none"
    return not fits and not any(map(_sees_batches, callbacks))


def shape_key(config: Mapping[str, Any], dataset: Dataset) -> str:
    """Everything that the graph of a run is made from: no numbers that it has in variables.

    Raises:
        UserError: where the loss refuses its arguments.
    """
    facts = facts_of(dataset)
    return _key(config, dataset, facts, loss_key(config["loss"]["fn"], facts))


def computation_key(config: Mapping[str, Any], dataset: Dataset) -> str:
    """The same with all numbers of the loss: what runs that differ in seed alone have in common."""
    facts = facts_of(dataset)
    return _key(config, dataset, facts, fill(config["loss"]["fn"], facts))


def _key(
    config: Mapping[str, Any], dataset: Dataset, facts: Mapping[str, Any], loss: object
) -> str:
    parts = {
        "model": fill(config["model"], facts),
        "loss": loss,
        "metric": fill(config["metric"]["metrics"], facts),
        "training": {k: v for k, v in config["training"].items() if k not in OF_ONE_RUN},
        "input": [dataset.input_shape, str(dataset.x_train.dtype), str(dataset.y_train.dtype)],
    }
    return json.dumps(parts, sort_keys=True, default=str)


def _traced(model: keras.Model, dataset: Dataset, batch_size: int) -> TrainingGraph | None:
    try:
        graph = TrainingGraph(model, dataset, batch_size)
    except Exception as error:  # fit may manage, or says what is wrong in Keras's words
        log.debug("training is not shared: %s", error)
        return None
    functions = graph._train, graph._test
    sound = all(is_repeatable(one) and graph.numbers.are_read_by(one) for one in functions)
    return graph if sound else None


def _sees_batches(callback: keras.callbacks.Callback) -> bool:
    base = keras.callbacks.Callback
    return any(getattr(type(callback), name) is not getattr(base, name) for name in BATCH_HOOKS)


def _training(model: keras.Model, batch_size: int) -> Callable[..., Traced]:
    def train(x: tf.Tensor, y: tf.Tensor, order: tf.Tensor) -> Traced:
        def step(start: tf.Tensor) -> tf.Tensor:
            rows = order[start : start + batch_size]
            model.train_step((tf.gather(x, rows), tf.gather(y, rows)))
            return start + batch_size

        repeat(step, tf.size(order))
        return dict(model.get_metrics_result()), class_f1(model)

    return train


def _validation(model: keras.Model) -> Callable[..., Traced]:
    def test(x: tf.Tensor, y: tf.Tensor) -> Traced:
        names: list[str] = []

        def step(start: tf.Tensor) -> tf.Tensor:
            stop = start + PREDICT_BATCH
            names[:] = model.test_step((x[start:stop], y[start:stop]))
            return stop

        repeat(step, tf.shape(x)[0])
        results = model.get_metrics_result()
        return {name: results[name] for name in names}, class_f1(model)

    return test


def _copy(source: keras.Model, target: keras.Model) -> None:
    for to, value in zip(variables_of(target), variables_of(source), strict=True):
        to.assign(value)
