"""Trains one model and predicts by it: the only place where TensorFlow computes."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from src.components import DeferredReweighting, ReweightingSchedule
from src.data.dataset import Dataset
from src.engine.callbacks import (
    BestEpoch,
    OwnEpochs,
    PerClassF1,
    ProgressBar,
    StopWhereNotFinite,
)
from src.engine.checkpoint import Checkpoint
from src.engine.epoch_logger import EpochLogger
from src.engine.graph_cache import GraphCache
from src.engine.trainer import Trainer, select_trainer
from src.evaluation.decision import prior_offsets
from src.evaluation.epoch_choice import OWN_EPOCH, EpochChoice
from src.evaluation.scores import Logits

OWN_CRITERION = ("val_f1_macro", "max")
"""Monitor and mode with which each decision has its own best epoch; any other decides for all."""
BY_CLASS = "f1_class"
"""In the names of metrics that a callback adds for a history that is kept; they take about a
millisecond an epoch, a tenth of a trial that keeps its scores alone."""


@dataclass(frozen=True)
class AtEpoch:
    """The model at the best epoch, from 1, for a decision; logits are of shape (n, K).

    ``weights``, as ``keras.Model.get_weights`` gives them, are None where the epoch is argmax's.
    """

    epoch: int
    weights: list[NDArray[Any]] | None
    val_logits: NDArray[np.float32]
    test_logits: NDArray[np.float32]


@dataclass(frozen=True)
class Trained:
    """A trained model at its best epoch, and what it predicts.

    Attributes:
        model: with the weights of the best epoch for argmax.
        history: one row per epoch, each metric by name.
        best_epoch: counted from 1.
        best_value: the monitored value there.
        val_logits: shape (n_val, K).
        test_logits: shape (n_test, K); computed once, after the best epoch was chosen.
        own: the model at the best epoch for ``tuned`` and for ``prior``.
        prior: offsets of the decision by prior, shape (K,).
        crossfit: of each decision, see :meth:`src.evaluation.epoch_choice.EpochChoice.crossfit`.
        seconds: wall time of ``build`` (with tracing), ``fit`` and ``predict``.
    """

    model: keras.Model
    history: list[dict[str, float]]
    best_epoch: int
    best_value: float
    val_logits: NDArray[np.float32]
    test_logits: NDArray[np.float32]
    own: dict[str, AtEpoch]
    prior: NDArray[np.float64]
    crossfit: dict[str, float]
    seconds: dict[str, float]

    @property
    def logits(self) -> dict[str, NDArray[np.float32]]:
        """By their names in the record; ``tuned_...`` where a decision has its own epoch."""
        found = {"val_logits": self.val_logits, "test_logits": self.test_logits}
        for decision in self.own_weights:
            val, test = self.by_decision[decision]
            found |= {f"{decision}_val_logits": val, f"{decision}_test_logits": test}
        return found

    @property
    def by_decision(self) -> dict[str, Logits]:
        """Logits of both splits by decision, each at its own best epoch."""
        own = {decision: (at.val_logits, at.test_logits) for decision, at in self.own.items()}
        return {"argmax": (self.val_logits, self.test_logits), **own}

    @property
    def own_weights(self) -> dict[str, list[NDArray[Any]]]:
        """Weights by decision, where its best epoch is not that of argmax."""
        return {name: at.weights for name, at in self.own.items() if at.weights is not None}


def train(
    config: Mapping[str, Any],
    dataset: Dataset,
    title: str,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    *,
    logger: EpochLogger | None = None,
    resume: Path | None = None,
    graphs: GraphCache | None = None,
    keep_model: bool = True,
) -> Trained:
    """Trains to the last epoch, goes back to the best one, and predicts.

    Args:
        config: the resolved config.
        dataset: trained on ``train``, the best epoch chosen on ``val``; ``test`` is predicted once.
        title: what the progress bar calls the run.
        callbacks: more Keras callbacks; they see the complete logs of each epoch.
        logger: receives one row per epoch; None makes one.
        resume: file of the run's checkpoint: training goes on from there, and leaves one as it
            goes; None keeps none.
        graphs: of earlier runs in this process; None has none.
        keep_model: False where nobody wants the model, which a later run may then train on.

    Raises:
        UserError: where config and data do not fit together.
        TrainingDivergedError: where the loss, a weight or a prediction is no finite number.
    """
    training = config["training"]
    started = time.perf_counter()
    # Not `graphs or`: a cache without graphs counts as false.
    graphs = GraphCache() if graphs is None else graphs
    trainer = select_trainer(config, dataset, callbacks, graphs, keep_model=keep_model)
    built = time.perf_counter()
    best = BestEpoch(*(training[key] for key in ("monitor", "mode", "patience", "epochs")))
    logger = logger or EpochLogger()
    finite = StopWhereNotFinite(training)
    prior = prior_offsets(np.array(dataset.trained_counts))
    choice = EpochChoice(dataset.y_val, prior)
    follows = (best.monitor, training["mode"]) == OWN_CRITERION
    own_epochs = OwnEpochs(choice, lambda: trainer.predict(dataset.x_val), finite, follows=follows)
    by_class = [PerClassF1()] if keep_model or BY_CLASS in best.monitor else []
    chain = [*by_class, finite, own_epochs, best, *callbacks, logger]
    if isinstance(trainer.model.loss, DeferredReweighting):
        chain.insert(0, ReweightingSchedule())
    saved = Checkpoint(resume, trainer.model, best, own_epochs, logger) if resume else None
    done = saved.epochs_done if saved else 0
    bar = ProgressBar(title, training["epochs"], training["monitor"], done)
    chain += [bar] if training["progress"] else []
    chain += [saved] if saved else []
    first = training["epochs"] if saved and saved.stopped else done
    try:
        trainer.fit(dataset, chain, range(first, training["epochs"]))
    finally:
        bar.close()
        logger.flush()
    fitted = time.perf_counter()
    val_logits, test_logits = trainer.predict(dataset.x_val), trainer.predict(dataset.x_test)
    finite.check_predictions(best.number, val_logits, test_logits)
    if not follows:
        choice.add(best.number - 1, val_logits)
    at_best = AtEpoch(best.number, None, val_logits, test_logits)
    own = {
        decision: _at_own(decision, own_epochs, at_best, trainer, dataset) for decision in OWN_EPOCH
    }
    for at in own.values():
        finite.check_predictions(at.epoch, at.test_logits)
    model = trainer.trained_model()
    predicted = time.perf_counter()
    return Trained(
        model=model,
        history=[
            {name: value for name, value in row.items() if name not in {"epoch", "time_ms"}}
            for row in logger.rows
        ],
        best_epoch=best.number,
        best_value=best.value,
        val_logits=val_logits,
        test_logits=test_logits,
        own=own,
        prior=prior,
        crossfit=choice.crossfit(),
        seconds={"build": built - started, "fit": fitted - built, "predict": predicted - fitted},
    )


def _at_own(
    decision: str, own: OwnEpochs, at_best: AtEpoch, trainer: Trainer, dataset: Dataset
) -> AtEpoch:
    """Logits by the weights of a decision's epoch; the model keeps the weights of argmax."""
    epoch = own.choice.epoch(decision)
    if epoch == at_best.epoch:
        return at_best
    of_argmax, weights = trainer.model.get_weights(), own.weights[decision]
    trainer.model.set_weights(weights)
    test_logits = trainer.predict(dataset.x_test)
    trainer.model.set_weights(of_argmax)
    return AtEpoch(epoch, weights, own.choice.logits(decision), test_logits)
