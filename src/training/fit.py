"""Trains and evaluates one model: the only place where TensorFlow computes."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

import src.components  # noqa: F401  registers the custom objects
from src.data.dataset import Dataset
from src.errors import UserError
from src.training.build import build, facts_of, without_name
from src.training.callbacks import BestEpoch, PerClassF1, ProgressBar
from src.training.seeding import prepare

PREDICT_BATCH = 1024


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
        seconds: wall time of ``build``, ``fit`` and ``predict``.
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
) -> Trained:
    """Trains to the last epoch, goes back to the best one, and predicts.

    Args:
        config: the resolved config.
        dataset: trained on ``train``, the best epoch chosen on ``val``; ``test`` is predicted once.
        title: what the progress bar calls the run.
        callbacks: more Keras callbacks; they see the complete logs of each epoch.

    Raises:
        UserError: where config and data do not fit together.
    """
    training = config["training"]
    started = time.perf_counter()
    model = build_model(config, dataset)
    built = time.perf_counter()
    best = BestEpoch(
        training["monitor"], training["mode"], training["patience"], training["epochs"]
    )
    chain: list[keras.callbacks.Callback] = [PerClassF1(), best]
    bar = ProgressBar(title, training["epochs"], training["monitor"])
    if training["progress"]:
        chain.append(bar)
    try:
        history = model.fit(
            dataset.x_train,
            dataset.y_train,
            batch_size=training["batch_size"],
            epochs=training["epochs"],
            validation_data=(dataset.x_val, dataset.y_val),
            validation_batch_size=PREDICT_BATCH,
            callbacks=[*chain, *callbacks],
            verbose=0,
        )
    except KeyError as error:
        if "training.monitor" in str(error):
            raise UserError(str(error.args[0])) from error
        raise
    finally:
        bar.close()
    fitted = time.perf_counter()
    val_logits = model.predict(dataset.x_val, batch_size=PREDICT_BATCH, verbose=0)
    test_logits = model.predict(dataset.x_test, batch_size=PREDICT_BATCH, verbose=0)
    done = time.perf_counter()
    return Trained(
        model=model,
        history=_rows(history.history),
        best_epoch=best.number,
        best_value=best.value,
        val_logits=np.asarray(val_logits, np.float32),
        test_logits=np.asarray(test_logits, np.float32),
        seconds={"build": built - started, "fit": fitted - built, "predict": done - fitted},
    )


def _rows(history: Mapping[str, Sequence[float]]) -> list[dict[str, float]]:
    """Keras's columns as one row an epoch."""
    epochs = range(max(len(column) for column in history.values()))
    return [
        {name: float(column[epoch]) for name, column in history.items() if epoch < len(column)}
        for epoch in epochs
    ]
