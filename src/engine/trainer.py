"""The two ways to train a run, and the one place that chooses between them.

Keras's ``fit`` is the reference. A graph that runs of the same shape share trains to the same bits
in less time, so it is taken wherever nothing speaks against it.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import keras
import numpy as np
from numpy.typing import NDArray

from src.data.dataset import Dataset
from src.engine.batches import ShuffledBatches
from src.engine.graph_cache import GraphCache
from src.engine.model import build_model
from src.engine.shared_graph import PREDICT_BATCH, TrainingGraph

log = logging.getLogger(__name__)

BATCH_HOOKS = (
    "on_batch_begin",
    "on_batch_end",
    "on_train_batch_begin",
    "on_train_batch_end",
    "on_test_batch_begin",
    "on_test_batch_end",
)


class Trainer(Protocol):
    """Trains one run and predicts by it."""

    @property
    def model(self) -> keras.Model:
        """Holds the run's state during training; callbacks are given this model."""

    def fit(
        self,
        dataset: Dataset,
        callbacks: Sequence[keras.callbacks.Callback],
        *,
        first_epoch: int,
        epochs: int,
    ) -> None:
        """Trains on ``train`` and validates on ``val`` after each epoch, as ``model.fit`` does.

        Args:
            dataset: the splits.
            callbacks: Keras callbacks.
            first_epoch: counted from 0.
            epochs: where training ends, unless a callback stops it before.
        """

    def predict(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """The logits of rows, shape (n, K)."""

    def trained_model(self) -> keras.Model:
        """The run's own model, when all is done."""


def select_trainer(
    config: Mapping[str, Any],
    dataset: Dataset,
    callbacks: Sequence[keras.callbacks.Callback],
    graphs: GraphCache,
) -> Trainer:
    """The shared graph, or ``fit`` where there is a reason for it.

    Args:
        config: the resolved config.
        dataset: what the run is trained on.
        callbacks: of the caller; those with batch hooks need ``fit``.
        graphs: of earlier runs.

    Raises:
        UserError: where config and data do not fit together.
    """
    training = config["training"]
    graph = _reason_for_fit(training, callbacks) or graphs.get(config, dataset)
    model = build_model(config, dataset)
    if isinstance(graph, TrainingGraph):
        graph.load(model)
        return SharedGraphTrainer(graph, model, training["seed"])
    log.debug("trained by fit: %s", graph)
    return FitTrainer(model, training["batch_size"], training["seed"])


def _reason_for_fit(
    training: Mapping[str, Any], callbacks: Sequence[keras.callbacks.Callback]
) -> str:
    """What speaks against a shared graph before anything is built; empty for nothing."""
    if training["jit_compile"]:
        return "training.jit_compile=true compiles the step"
    if training["distribute"] != "none":
        return f"training.distribute={training['distribute']} divides each batch"
    base = keras.callbacks.Callback
    for callback in callbacks:
        kind = type(callback)
        if any(getattr(kind, hook) is not getattr(base, hook) for hook in BATCH_HOOKS):
            return f"the callback {kind.__name__} is called with every batch"
    return ""


@dataclass(frozen=True)
class SharedGraphTrainer:
    """Trains a run in a graph that runs of its shape share, to the bits of ``fit``.

    Attributes:
        graph: has taken over the state of ``own``.
        own: the run's model.
        seed: of the order of the batches.
    """

    graph: TrainingGraph
    own: keras.Model
    seed: int

    @property
    def model(self) -> keras.Model:
        """The graph's, until :meth:`trained_model`."""
        return self.graph.model

    def fit(
        self,
        dataset: Dataset,
        callbacks: Sequence[keras.callbacks.Callback],
        *,
        first_epoch: int,
        epochs: int,
    ) -> None:
        """See :meth:`Trainer.fit`."""
        self.graph.fit(dataset, callbacks, seed=self.seed, first_epoch=first_epoch, epochs=epochs)

    def predict(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """See :meth:`Trainer.predict`."""
        return self.graph.predict(x)

    def trained_model(self) -> keras.Model:
        """The run's own, with the state that the graph gives back."""
        self.graph.give_back(self.own)
        return self.own


@dataclass(frozen=True)
class FitTrainer:
    """Trains a run by Keras's ``fit``.

    Attributes:
        model: compiled.
        batch_size: rows in a training step.
        seed: of the order of the batches.
    """

    model: keras.Model
    batch_size: int
    seed: int

    def fit(
        self,
        dataset: Dataset,
        callbacks: Sequence[keras.callbacks.Callback],
        *,
        first_epoch: int,
        epochs: int,
    ) -> None:
        """See :meth:`Trainer.fit`."""
        order = ShuffledBatches(dataset, self.batch_size, self.seed)
        self.model.fit(
            order.batches,
            epochs=epochs,
            initial_epoch=first_epoch,
            validation_data=(dataset.x_val, dataset.y_val),
            validation_batch_size=PREDICT_BATCH,
            shuffle=False,
            callbacks=[order, *callbacks],
            verbose=0,
        )

    def predict(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """See :meth:`Trainer.predict`."""
        logits: NDArray[np.float32] = self.model.predict(x, batch_size=PREDICT_BATCH, verbose=0)
        return logits

    def trained_model(self) -> keras.Model:
        """The same model."""
        return self.model
