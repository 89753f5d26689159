"""The ways in which a run is trained: in a shared graph, or by ``fit``."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import keras
import numpy as np
from numpy.typing import NDArray

from src.data.dataset import Dataset
from src.engine.batches import ShuffledBatches
from src.engine.model import build_model
from src.engine.per_class import PerClassF1
from src.engine.prebuild import model_for
from src.engine.shared_graph import TrainingGraph, shared_graph
from src.engine.tracing import PREDICT_BATCH


class Way(Protocol):
    """Trains one run and predicts by it."""

    @property
    def model(self) -> keras.Model:
        """Holds the run while it is trained; callbacks are given this model."""

    def fit(
        self,
        dataset: Dataset,
        callbacks: Sequence[keras.callbacks.Callback],
        *,
        first_epoch: int,
        epochs: int,
    ) -> None:
        """What ``model.fit`` does with a validation split.

        Args:
            dataset: trained on ``train``, validated on ``val`` after each epoch.
            callbacks: Keras callbacks; the logs of each epoch have the F1 of each class too.
            first_epoch: counted from 0.
            epochs: where training ends, unless a callback stops it before.
        """

    def predict(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """The logits of rows, shape (n, K)."""

    def trained(self) -> keras.Model:
        """The run's model, when all is done."""


def way_of(
    config: Mapping[str, Any],
    dataset: Dataset,
    callbacks: Sequence[keras.callbacks.Callback],
    coming: Iterable[Mapping[str, Any]],
) -> Way:
    """How the run of a config is trained.

    Args:
        config: the resolved config.
        dataset: what it is trained on.
        callbacks: of the caller's; those with batch hooks need ``fit``.
        coming: configs of the jobs after this one, in order.

    Raises:
        UserError: where config and data do not fit together.
    """
    training = config["training"]
    graph = shared_graph(config, dataset, callbacks, lambda: build_model(config, dataset))
    if graph is None:
        return ByFit(build_model(config, dataset), training["batch_size"], training["seed"])
    model = model_for(config, dataset, coming, build_model)
    graph.load(model)
    return BySharedGraph(graph, model, training["seed"])


@dataclass(frozen=True)
class BySharedGraph:
    """A run in the graph that runs of its shape share, to the bits of ``fit``.

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
        """The graph's, until :meth:`trained`."""
        return self.graph.model

    def fit(
        self,
        dataset: Dataset,
        callbacks: Sequence[keras.callbacks.Callback],
        *,
        first_epoch: int,
        epochs: int,
    ) -> None:
        """See :meth:`Way.fit`."""
        self.graph.fit(dataset, callbacks, seed=self.seed, first_epoch=first_epoch, epochs=epochs)

    def predict(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """See :meth:`Way.predict`."""
        return self.graph.predict(x)

    def trained(self) -> keras.Model:
        """The run's own, with the state that the graph gives back."""
        self.graph.give_back(self.own)
        return self.own


@dataclass(frozen=True)
class ByFit:
    """A run that Keras's ``fit`` trains.

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
        """See :meth:`Way.fit`."""
        order = ShuffledBatches(dataset, self.batch_size, self.seed)
        self.model.fit(
            order.batches,
            epochs=epochs,
            initial_epoch=first_epoch,
            validation_data=(dataset.x_val, dataset.y_val),
            validation_batch_size=PREDICT_BATCH,
            shuffle=False,
            callbacks=[order, PerClassF1(), *callbacks],
            verbose=0,
        )

    def predict(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """See :meth:`Way.predict`."""
        logits: NDArray[np.float32] = self.model.predict(x, batch_size=PREDICT_BATCH, verbose=0)
        return logits

    def trained(self) -> keras.Model:
        """The same model."""
        return self.model
