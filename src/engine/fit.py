"""Trains and evaluates one model: the only place where TensorFlow computes."""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from src.data.dataset import Dataset
from src.engine.callbacks import BestEpoch, ProgressBar
from src.engine.checkpoint import Checkpoint
from src.engine.epoch_logger import EpochLogger
from src.engine.trainer import way_of
from src.errors import UserError


@dataclass(frozen=True)
class Trained:
    """A trained model at its best epoch, and what it said.

    Attributes:
        model: with the weights of the best epoch.
        history: one row an epoch, each metric by name.
        best_epoch: counted from 1.
        best_value: the monitored value there.
        val_logits: shape (n_val, K).
        test_logits: shape (n_test, K); computed once, after the best epoch was chosen.
        seconds: wall time of ``build`` (with tracing, and models of jobs to come), ``fit`` and
            ``predict``.
    """

    model: keras.Model
    history: list[dict[str, float]]
    best_epoch: int
    best_value: float
    val_logits: NDArray[np.float32]
    test_logits: NDArray[np.float32]
    seconds: dict[str, float]


def train(
    config: Mapping[str, Any],
    dataset: Dataset,
    title: str,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    *,
    logger: EpochLogger | None = None,
    resume: Path | None = None,
    coming: Iterable[Mapping[str, Any]] = (),
) -> Trained:
    """Trains to the last epoch, goes back to the best one, and predicts.

    Args:
        config: the resolved config.
        dataset: trained on ``train``, the best epoch chosen on ``val``; ``test`` is predicted once.
        title: what the progress bar calls the run.
        callbacks: more Keras callbacks; they see the complete logs of each epoch.
        logger: receives one row an epoch; None makes one.
        resume: file of the run's checkpoint: training goes on from there, and leaves one as it
            goes; None keeps none.
        coming: configs of the jobs after this one, in order: some of their models are built in
            one go with this one's, which costs less.

    Raises:
        UserError: where config and data do not fit together.
    """
    training = config["training"]
    started = time.perf_counter()
    way = way_of(config, dataset, callbacks, coming)
    built = time.perf_counter()
    best = BestEpoch(*(training[key] for key in ("monitor", "mode", "patience", "epochs")))
    logger = logger or EpochLogger()
    chain: list[keras.callbacks.Callback] = [best, *callbacks, logger]
    checkpoint = Checkpoint(resume, way.model, best, logger) if resume else None
    done = checkpoint.epochs_done if checkpoint else 0
    bar = ProgressBar(title, training["epochs"], training["monitor"], done)
    if training["progress"]:
        chain.append(bar)
    if checkpoint:
        chain.append(checkpoint)
    first = training["epochs"] if checkpoint and checkpoint.stopped else done
    try:
        way.fit(dataset, chain, first_epoch=first, epochs=training["epochs"])
    except KeyError as error:
        if "training.monitor" in str(error):
            raise UserError(str(error.args[0])) from error
        raise
    finally:
        bar.close()
        logger.flush()
    fitted = time.perf_counter()
    val_logits, test_logits = way.predict(dataset.x_val), way.predict(dataset.x_test)
    model = way.trained()
    predicted = time.perf_counter()
    return Trained(
        model=model,
        history=[_metrics(row) for row in logger.rows],
        best_epoch=best.number,
        best_value=best.value,
        val_logits=np.asarray(val_logits, np.float32),
        test_logits=np.asarray(test_logits, np.float32),
        seconds={"build": built - started, "fit": fitted - built, "predict": predicted - fitted},
    )


def _metrics(row: Mapping[str, float]) -> dict[str, float]:
    """A row without the numbers that say which epoch it is."""
    return {name: value for name, value in row.items() if name not in {"epoch", "time_ms"}}
