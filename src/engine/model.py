"""The model of a config: its network, seeded, and the compiled whole."""

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import keras

import src.components  # noqa: F401  registers the custom objects
from src.compat.keras import build_from_first_replica
from src.data.dataset import Dataset
from src.engine.build import build, data_arguments, without_name
from src.engine.distribution import scope_of
from src.engine.seeding import seeded
from src.engine.sizing import IMAGENET

Config = Mapping[str, Any]


def build_model(config: Config, dataset: Dataset) -> keras.Model:
    """The compiled model of a resolved config, seeded; the data set gives ``auto`` its meaning.

    Raises:
        UserError: where a part refuses its arguments.
    """
    return seeded(config, partial(_build, config, dataset))


def _build(config: Config, dataset: Dataset) -> keras.Model:
    arguments = data_arguments(dataset)
    training = config["training"]
    with one_download(config["model"].get("weights")), scope_of(training):
        model = build(without_name(config["model"]), "model", arguments)
        metrics = [
            build(node, f"metric.metrics.{name}", arguments)
            for name, node in config["metric"]["metrics"].items()
        ]
        model.compile(
            optimizer=build(training["optimizer"], "training.optimizer"),
            loss=build(config["loss"]["fn"], "loss.fn", arguments),
            metrics=metrics,
            jit_compile=training["jit_compile"],
            steps_per_execution=training["steps_per_execution"],
        )
    if training["distribute"] != "none":
        build_from_first_replica(model)
    return model


@contextmanager
def one_download(weights: str | None) -> Iterator[None]:
    """Jobs that run at once wait for the one that downloads: Keras would read half a file.

    Args:
        weights: only those of ImageNet are downloaded.
    """
    folder = Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser() / "models"
    with ExitStack() as holding:
        if weights == IMAGENET:
            with suppress(OSError):  # where nothing can be written Keras downloads elsewhere
                folder.mkdir(parents=True, exist_ok=True)
                lock = holding.enter_context((folder / "imagenet.lock").open("w"))
                fcntl.flock(lock, fcntl.LOCK_EX)
        yield
