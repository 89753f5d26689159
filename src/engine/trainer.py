"""The two ways to train a run, and the one place that chooses between them.

Keras's ``fit`` is the reference. A graph that runs of the same shape share trains to the same bits
in less time, so it is taken wherever nothing speaks against it.
"""

import logging
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from src.data.dataset import Dataset, Features, Pixels
from src.data.rows_at_once import rows_at_once
from src.engine.batches import ShuffledBatches, in_order
from src.engine.graph_cache import GraphCache
from src.engine.model import build_model
from src.engine.seeding import has_own_parts, prepare
from src.engine.shared_graph import Callbacks, TrainingGraph

log = logging.getLogger(__name__)

BATCH_HOOKS = tuple(
    f"on_{phase}batch_{end}" for phase in ("", "train_", "test_") for end in ("begin", "end")
)


class Trainer:
    """Trains one run by Keras's ``fit``, and predicts by it.

    Args:
        model: compiled.
        batch_size: rows in a training step.
        seed: of the order of the batches.

    Attributes:
        model: holds the run's state during training; callbacks are given this model.
    """

    def __init__(self, model: keras.Model, batch_size: int, seed: int) -> None:
        self.model = model
        self._batch_size = batch_size
        self._seed = seed

    def fit(self, dataset: Dataset, callbacks: Callbacks, epochs: range) -> None:
        """Trains on ``train`` and validates on ``val`` after each of the epochs, from 0 on."""
        order = ShuffledBatches(dataset, self._batch_size, self._seed)
        self.model.fit(
            order.batches,
            epochs=epochs.stop,
            initial_epoch=epochs.start,
            validation_data=in_order(
                rows_at_once(dataset.input_shape), dataset.x_val, dataset.y_val
            ),
            shuffle=False,
            callbacks=[order, *callbacks],
            verbose=0,
        )

    def predict(self, x: Features | Pixels) -> NDArray[np.float32]:
        """The logits of rows, shape (n, K)."""
        logits = self.model.predict(in_order(rows_at_once(x.shape[1:]), x), verbose=0)
        return np.asarray(logits, np.float32)

    def trained_model(self) -> keras.Model:
        """The run's own model, when all is done."""
        return self.model


class SharedGraphTrainer(Trainer):
    """Trains a run in a graph that runs of its shape share, to the bits of ``fit``.

    Args:
        graph: takes over the state of ``own``; its model is the one to train.
        own: the run's model; None where the graph is in the run's state already, and the trained
            model is not kept.
        batch_size: rows in a training step.
        seed: of the order of the batches.
    """

    def __init__(
        self, graph: TrainingGraph, own: keras.Model | None, batch_size: int, seed: int
    ) -> None:
        super().__init__(graph.model, batch_size, seed)
        self._graph = graph
        self._own = own
        if own is not None:
            graph.load(own)

    def fit(self, dataset: Dataset, callbacks: Callbacks, epochs: range) -> None:
        """Trains as Keras's ``fit`` does, but tells no callback of a batch."""
        self._graph.fit(dataset, callbacks, epochs, self._seed)

    def predict(self, x: Features | Pixels) -> NDArray[np.float32]:
        """The logits of rows, shape (n, K)."""
        return self._graph.predict(x)

    def trained_model(self) -> keras.Model:
        """The run's own model with the state of the graph's, or that one where it has none."""
        if self._own is None:
            return self.model
        self._graph.give_back(self._own)
        return self._own


def select_trainer(
    config: Mapping[str, Any],
    dataset: Dataset,
    callbacks: Callbacks,
    graphs: GraphCache,
    *,
    keep_model: bool = True,
) -> Trainer:
    """The shared graph, or ``fit`` where there is a reason for it.

    Args:
        config: the resolved config.
        dataset: what the run is trained on.
        callbacks: of the caller; those with batch hooks need ``fit``.
        graphs: of earlier runs.
        keep_model: whether the run gets a model of its own, which no later run changes.

    Raises:
        UserError: where config and data do not fit together.
    """
    training = config["training"]
    measure = keep_model or not training["monitor"].startswith("val_")
    reason = _reason_for_fit(training, callbacks)
    batches = training["batch_size"], training["seed"]
    # Before the key of a graph is taken: a loss may make a variable.
    prepare(training, own=has_own_parts(config))
    graph = reason or graphs.get(config, dataset, measure=measure)
    if isinstance(graph, TrainingGraph) and not keep_model and graphs.load(graph, config, dataset):
        return SharedGraphTrainer(graph, None, *batches)
    model = build_model(config, dataset)
    if isinstance(graph, TrainingGraph):
        return SharedGraphTrainer(graph, model, *batches)
    log.debug("trained by fit: %s", graph)
    return Trainer(model, *batches)


def _reason_for_fit(training: Mapping[str, Any], callbacks: Callbacks) -> str:
    """Why a run needs ``fit``, before anything is built; empty where it does not."""
    if training["jit_compile"]:
        return "training.jit_compile=true compiles the step"
    if training["distribute"] != "none":
        return f"training.distribute={training['distribute']} divides each batch"
    base = keras.callbacks.Callback
    for kind in map(type, callbacks):
        if any(getattr(kind, hook) is not getattr(base, hook) for hook in BATCH_HOOKS):
            return f"the callback {kind.__name__} is called with every batch"
    return ""
