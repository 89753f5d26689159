"""Trains a run by several workers at once.

Keras's ``fit`` does not come through under this strategy (it takes the mean over axis 0 of scalar
logs), so the epochs are :func:`src.engine.epochs.run_epochs`'s. Every graph here is traced once,
for any number of rows: workers that traced at different times would wait for each other for ever.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from src.data.dataset import Dataset
from src.engine.batches import shuffled
from src.engine.checkpoint import build_optimizer, variables_of
from src.engine.epochs import Results, run_epochs
from src.engine.model import build_model
from src.engine.per_class import class_f1
from src.engine.tracing import PREDICT_BATCH, predicted, rows_of
from src.engine.workers import Workers


class ByWorkers:
    """A run whose batches are divided among workers.

    Args:
        config: the resolved config.
        dataset: the same on all workers.
        workers: that train it.

    Attributes:
        model: compiled, its variables alike on all workers.
        keeps_epochs: only the last is there.
    """

    keeps_epochs: ClassVar[bool] = False

    def __init__(self, config: Mapping[str, Any], dataset: Dataset, workers: Workers) -> None:
        self.model = build_model(config, dataset)
        self._config, self._dataset, self._workers = config, dataset, workers
        self._batch_size, self._seed = config["training"]["batch_size"], config["training"]["seed"]
        with workers.strategy.scope():
            build_optimizer(self.model)
        self.model._maybe_symbolic_build(data_batch=(dataset.x_val[:1], dataset.y_val[:1]))
        self._train = self._traced(self.model.train_step, dataset)
        self._test = self._traced(self._test_step, dataset)
        self._results = tf.function(self._read, autograph=False)
        self._tested: list[str] = []

    def fit(
        self,
        dataset: Dataset,
        callbacks: Sequence[keras.callbacks.Callback],
        *,
        first_epoch: int,
        epochs: int,
    ) -> None:
        """See :meth:`src.engine.trainer.Way.fit`; the chief's callbacks and first epoch count."""
        (first,) = self._workers.from_chief([first_epoch])
        if first > 0:
            self._take_over_from_chief()
        with tf.device("CPU"):
            train, val = (
                (tf.constant(x), tf.constant(y))
                for x, y in ((dataset.x_train, dataset.y_train), (dataset.x_val, dataset.y_val))
            )
        numbers, in_order = (
            tf.range(len(y), dtype=tf.int64) for y in (dataset.y_train, dataset.y_val)
        )

        def an_epoch(epoch: int) -> Results:
            order = shuffled(numbers, self._seed, epoch)
            return self._pass(self._train, train, order, self._batch_size)

        def validate() -> Results:
            results, f1 = self._pass(self._test, val, in_order, PREDICT_BATCH)
            return {name: results[name] for name in self._tested}, f1

        run_epochs(
            self.model,
            [*callbacks, _StopTogether(self._workers)],
            an_epoch,
            validate,
            steps=-(-len(dataset.y_train) // self._batch_size),
            first_epoch=int(first),
            epochs=epochs,
        )

    def predict(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """See :meth:`src.engine.trainer.Way.predict`; by this process alone."""
        return predicted(tf.function(self._own, autograph=False), x)

    def trained(self) -> keras.Model:
        """See :meth:`src.engine.trainer.Way.trained`; a model of one device, with this state."""
        return self._own

    @cached_property
    def _own(self) -> keras.Model:
        alone = {**self._config["training"], "distribute": "none", "replicas": None}
        own = build_model({**self._config, "training": alone}, self._dataset)
        build_optimizer(own)
        for to, variable in zip(variables_of(own), variables_of(self.model), strict=True):
            to.assign(keras.ops.convert_to_numpy(variable))
        return own

    def _take_over_from_chief(self) -> None:
        """Gives all workers the state that the chief has from its checkpoint."""
        variables = variables_of(self.model)
        values = self._workers.from_chief(list(map(keras.ops.convert_to_numpy, variables)))
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)

    def _pass(
        self,
        step: Callable[..., None],
        split: tuple[tf.Tensor, tf.Tensor],
        order: tf.Tensor,
        batch_size: int,
    ) -> Results:
        """Goes through a split; what all workers have measured together."""
        with self._workers.strategy.scope():
            self.model.reset_metrics()
        for start in range(0, len(order), batch_size):
            step(*split, order[start : start + batch_size])
        results, f1 = self._results()
        return results, f1.numpy()

    def _test_step(self, data: tuple[tf.Tensor, tf.Tensor]) -> None:
        self._tested[:] = self.model.test_step(data)

    def _read(self) -> tuple[dict[str, Any], tf.Tensor]:
        with self._workers.strategy.scope():
            return dict(self.model.get_metrics_result()), class_f1(self.model)

    def _traced(self, step: Callable[[Any], Any], dataset: Dataset) -> Callable[..., None]:
        """A step on the rows of a batch, divided among all replicas."""
        strategy = self._workers.strategy

        def of_replica(x: tf.Tensor, y: tf.Tensor, rows: tf.Tensor) -> None:
            context = tf.distribute.get_replica_context()
            own = rows[context.replica_id_in_sync_group :: strategy.num_replicas_in_sync]
            with tf.device("CPU"):
                batch = tf.gather(x, own), tf.gather(y, own)
            step(batch)

        return tf.function(
            lambda x, y, rows: strategy.run(of_replica, args=(x, y, rows)),
            input_signature=[
                rows_of(dataset.x_train),
                rows_of(dataset.y_train),
                tf.TensorSpec([None], tf.int64),
            ],
            autograph=False,
        )


class _StopTogether(keras.callbacks.Callback):
    """Comes last: training ends on all workers where the chief's callbacks have ended it."""

    def __init__(self, workers: Workers) -> None:
        super().__init__()
        self._workers = workers

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Asks the chief."""
        (stop,) = self._workers.from_chief([bool(self.model.stop_training)])
        self.model.stop_training = bool(stop)
