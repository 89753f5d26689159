"""Trains and evaluates one model: the only place where TensorFlow computes."""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

import src.components  # noqa: F401  registers the custom objects
from src.data.dataset import Dataset
from src.errors import UserError
from src.tracking.epoch_logger import EpochLogger
from src.training.ahead import model_for
from src.training.batches import ShuffledBatches
from src.training.build import build, facts_of, without_name
from src.training.callbacks import BestEpoch, PerClassF1, ProgressBar
from src.training.checkpoint import Checkpoint
from src.training.distribution import scope_of
from src.training.graph import PREDICT_BATCH, TrainingGraph, shared_graph
from src.training.seeding import prepare


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


def build_model(config: Mapping[str, Any], dataset: Dataset) -> keras.Model:
    """The compiled model of a resolved config, seeded.

    Args:
        config: the resolved config.
        dataset: gives ``auto`` its meaning.

    Raises:
        UserError: where a part refuses its arguments.
    """
    facts = facts_of(dataset)
    training = config["training"]
    prepare(
        training["seed"],
        deterministic=training["deterministic"],
        threads=training["threads"],
        precision=training["precision"],
    )
    with scope_of(training.get("distribute", "none"), training.get("replicas")):
        model = build(without_name(config["model"]), "model", facts)
        metrics = [
            build(node, f"metric.metrics.{name}", facts)
            for name, node in config["metric"]["metrics"].items()
        ]
        model.compile(
            optimizer=build(training["optimizer"], "training.optimizer"),
            loss=build(config["loss"]["fn"], "loss.fn", facts),
            metrics=metrics,
            jit_compile=training["jit_compile"],
            steps_per_execution=training["steps_per_execution"],
        )
    return model


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
        resume: folder of the run's checkpoint: training goes on from there, and leaves one as it
            goes; None keeps none.
        coming: configs of the jobs after this one, in order: some of their models are built in
            one go with this one's, which costs less.

    Raises:
        UserError: where config and data do not fit together.
    """
    training = config["training"]
    started = time.perf_counter()
    graph = shared_graph(config, dataset, callbacks, lambda: build_model(config, dataset))
    if graph:
        model = model_for(config, dataset, coming, build_model)
        graph.load(model)
    else:
        model = build_model(config, dataset)
    trainee = graph.model if graph else model
    built = time.perf_counter()
    best = BestEpoch(
        training["monitor"], training["mode"], training["patience"], training["epochs"]
    )
    logger = logger or EpochLogger()
    chain: list[keras.callbacks.Callback] = [PerClassF1(), best, *callbacks, logger]
    checkpoint = Checkpoint(resume, trainee, best, logger) if resume else None
    done = checkpoint.epochs_done if checkpoint else 0
    bar = ProgressBar(title, training["epochs"], training["monitor"], done)
    if training["progress"]:
        chain.append(bar)
    if checkpoint:
        chain.append(checkpoint)
    first = training["epochs"] if checkpoint and checkpoint.stopped else done
    try:
        _fit(trainee, graph, training, dataset, callbacks=chain, first_epoch=first)
    except KeyError as error:
        if "training.monitor" in str(error):
            raise UserError(str(error.args[0])) from error
        raise
    finally:
        bar.close()
        logger.flush()
    fitted = time.perf_counter()
    predict = graph.predict if graph else partial(_predict, model)
    val_logits, test_logits = predict(dataset.x_val), predict(dataset.x_test)
    if graph:
        graph.give_back(model)
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


def _fit(
    model: keras.Model,
    graph: TrainingGraph | None,
    training: Mapping[str, Any],
    dataset: Dataset,
    *,
    callbacks: list[keras.callbacks.Callback],
    first_epoch: int,
) -> None:
    """Trains by the graph that runs share, or by Keras's ``fit``: to the same bits."""
    seed, epochs = training["seed"], training["epochs"]
    if graph:
        graph.fit(dataset, callbacks, seed=seed, first_epoch=first_epoch, epochs=epochs)
        return
    order = ShuffledBatches(dataset, training["batch_size"], seed)
    model.fit(
        order.batches,
        epochs=epochs,
        initial_epoch=first_epoch,
        validation_data=(dataset.x_val, dataset.y_val),
        validation_batch_size=PREDICT_BATCH,
        shuffle=False,
        callbacks=[order, *callbacks],
        verbose=0,
    )


def _predict(model: keras.Model, x: NDArray[np.float32]) -> NDArray[np.float32]:
    logits: NDArray[np.float32] = model.predict(x, batch_size=PREDICT_BATCH, verbose=0)
    return logits


def _metrics(row: Mapping[str, float]) -> dict[str, float]:
    """A row without the numbers that say which epoch it is."""
    return {name: value for name, value in row.items() if name not in {"epoch", "time_ms"}}
