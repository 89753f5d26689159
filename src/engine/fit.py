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
    PerClassF1,
    ProgressBar,
    StopWhereNotFinite,
    TunedEpoch,
)
from src.engine.checkpoint import Checkpoint
from src.engine.epoch_logger import EpochLogger
from src.engine.graph_cache import GraphCache
from src.engine.trainer import Trainer, select_trainer
from src.evaluation.epoch_choice import EpochChoice

OWN_CRITERION = ("val_f1_macro", "max")
"""Monitor and mode with which each decision takes its own best epoch; others decide for both."""


@dataclass(frozen=True)
class TunedModel:
    """The model at the best epoch for the tuned decision.

    Attributes:
        epoch: counted from 1.
        weights: as ``keras.Model.get_weights`` gives them; None where the epoch is that of argmax.
        val_logits: shape (n_val, K).
        test_logits: shape (n_test, K).
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
        tuned: the model at the best epoch for the tuned decision.
        crossfit: of both decisions, see :meth:`src.evaluation.epoch_choice.EpochChoice.crossfit`.
        seconds: wall time of ``build`` (with tracing), ``fit`` and ``predict``.
    """

    model: keras.Model
    history: list[dict[str, float]]
    best_epoch: int
    best_value: float
    val_logits: NDArray[np.float32]
    test_logits: NDArray[np.float32]
    tuned: TunedModel
    crossfit: dict[str, float]
    seconds: dict[str, float]

    @property
    def logits(self) -> dict[str, NDArray[np.float32]]:
        """By the names that the record has; those of the tuned decision where it has an epoch."""
        logits = {"val_logits": self.val_logits, "test_logits": self.test_logits}
        if self.tuned.weights is None:
            return logits
        tuned = self.tuned.val_logits, self.tuned.test_logits
        return logits | dict(zip(("tuned_val_logits", "tuned_test_logits"), tuned, strict=True))


def train(
    config: Mapping[str, Any],
    dataset: Dataset,
    title: str,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    *,
    logger: EpochLogger | None = None,
    resume: Path | None = None,
    graphs: GraphCache | None = None,
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

    Raises:
        UserError: where config and data do not fit together.
        TrainingDivergedError: where the loss, a weight or a prediction is no finite number.
    """
    training = config["training"]
    started = time.perf_counter()
    # Not `graphs or`: a cache without graphs counts as false.
    graphs = GraphCache() if graphs is None else graphs
    trainer = select_trainer(config, dataset, callbacks, graphs)
    built = time.perf_counter()
    best = BestEpoch(*(training[key] for key in ("monitor", "mode", "patience", "epochs")))
    logger = logger or EpochLogger()
    finite = StopWhereNotFinite(training)
    choice = EpochChoice(dataset.y_val, dataset.num_classes)
    tuned = TunedEpoch(choice, lambda: trainer.predict(dataset.x_val), finite)
    follows = (best.monitor, training["mode"]) == OWN_CRITERION
    chain = [PerClassF1(), finite, best, *([tuned] if follows else []), *callbacks, logger]
    if isinstance(trainer.model.loss, DeferredReweighting):
        chain.insert(0, ReweightingSchedule())
    saved = Checkpoint(resume, trainer.model, best, tuned, logger) if resume else None
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
    at_tuned = TunedModel(choice.tuned_epoch, None, val_logits, test_logits)
    if at_tuned.epoch != best.number:
        at_tuned = _at_other_weights(trainer, tuned, dataset)
        finite.check_predictions(at_tuned.epoch, at_tuned.test_logits)
    model = trainer.trained_model()
    predicted = time.perf_counter()
    return Trained(
        model=model,
        history=[_metrics(row) for row in logger.rows],
        best_epoch=best.number,
        best_value=best.value,
        val_logits=val_logits,
        test_logits=test_logits,
        tuned=at_tuned,
        crossfit=choice.crossfit(),
        seconds={"build": built - started, "fit": fitted - built, "predict": predicted - fitted},
    )


def _at_other_weights(trainer: Trainer, tuned: TunedEpoch, dataset: Dataset) -> TunedModel:
    """Predicts by the weights of the tuned decision; the model keeps its own."""
    own = trainer.model.get_weights()
    trainer.model.set_weights(tuned.weights)
    test_logits = trainer.predict(dataset.x_test)
    trainer.model.set_weights(own)
    choice = tuned.choice
    return TunedModel(choice.tuned_epoch, tuned.weights, choice.tuned_logits, test_logits)


def _metrics(row: Mapping[str, float]) -> dict[str, float]:
    """A row without the numbers that say which epoch it is."""
    return {name: value for name, value in row.items() if name not in {"epoch", "time_ms"}}
