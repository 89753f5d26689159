"""The runs of a block of seeds, trained together, each followed by its own callbacks."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import keras
import numpy as np
from numpy.typing import NDArray

from src.data.dataset import Dataset
from src.engine.callbacks import BestEpoch
from src.engine.epochs import Results, run_epochs
from src.engine.stacked_graph import StackedGraph
from src.engine.stacked_state import Epoch, StackedData, State


@dataclass
class Block:
    """The runs of a block of seeds: their data, and their epochs so far.

    Attributes:
        graph: may train another block of the same shape in between.
        loss: of all of them; the graph's may have other numbers in between.
        seeds: of the replicas.
        fingerprints: of their data sets.
        data: the same, stacked.
        first: the state before the first epoch.
        most_bytes: what data and all epochs take in memory.
        epochs: those that are trained.
    """

    graph: StackedGraph
    loss: Any
    seeds: list[int]
    fingerprints: list[str]
    data: StackedData
    first: State
    most_bytes: int
    epochs: list[Epoch] = field(default_factory=list)

    def epoch(self, number: int) -> Epoch:
        """An epoch, counted from 0; those before it, and it, are trained where they are not yet."""
        if number >= len(self.epochs):
            self.graph.load_loss(self.loss)
            self.graph.load(self.epochs[-1].state if self.epochs else self.first)
        while number >= len(self.epochs):
            done = len(self.epochs)
            self.epochs.append(self.graph.epoch(self.data, self.seeds, done))
        return self.epochs[number]


@dataclass(frozen=True)
class Replica:
    """One run of a block.

    Its model is the block's, and is another run's as soon as that is trained.

    Attributes:
        block: it and its neighbours.
        index: its place.
        watched: whether callbacks of the caller's want to see the weights of each epoch.
        keeps_epochs: those of the block.
    """

    block: Block
    index: int
    watched: bool = True
    keeps_epochs: ClassVar[bool] = True

    @property
    def model(self) -> keras.Model:
        """Holds this run while it is trained, and its best epoch after that."""
        return self.block.graph.model

    def fit(
        self,
        dataset: Dataset,
        callbacks: Sequence[keras.callbacks.Callback],
        *,
        first_epoch: int,
        epochs: int,
    ) -> None:
        """What ``model.fit`` does with a validation split, but for batch hooks.

        Args:
            dataset: of this run.
            callbacks: Keras callbacks. They see an epoch after it was trained, and may end the
                run, but change nothing else in it. The weights end as ``BestEpoch`` has chosen.
            first_epoch: counted from 0.
            epochs: where training ends, unless a callback stops it before.
        """
        graph = self.block.graph
        graph.load_loss(self.block.loss)  # which the model is saved with
        if self.watched:
            graph.show(self.block.first, self.index)
        last: list[Epoch] = []

        def train(number: int) -> Results:
            epoch = self.block.epoch(number)
            if self.watched:
                graph.show(epoch.state, self.index)
            last[:] = [epoch]
            return self._own(epoch.train)

        def validate() -> Results:
            return self._own(last[0].val)

        steps = -(-len(dataset.y_train) // graph.batch_size)
        run_epochs(
            self.model,
            callbacks,
            train,
            validate,
            steps=steps,
            first_epoch=first_epoch,
            epochs=epochs,
        )
        state = last[0].state
        best = next((one for one in callbacks if isinstance(one, BestEpoch)), None)
        if best is not None:
            chosen = self.block.epochs[best.best_epoch].state
            graph.show(graph.weights_of(chosen, state), self.index)
        graph.show_optimizer(state, self.index)

    def predict(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """The logits of rows, shape (n, K)."""
        return self.block.graph.predict(x)

    def trained(self) -> keras.Model:
        """The block's model, which is this run's until the next one is trained."""
        return self.model

    def _own(self, results: tuple[dict[str, Any], Any]) -> Results:
        named, f1 = results
        return _picked(named, self.index), f1[self.index]


def _picked(results: dict[str, Any], index: int) -> dict[str, Any]:
    return {
        name: _picked(value, index) if isinstance(value, dict) else value[index]
        for name, value in results.items()
    }
