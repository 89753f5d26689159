"""TensorBoard logs of a run, on request: ``training.tensorboard=true``."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras

FOLDER = "tensorboard"
"""In the output folder of a job."""


def board_callbacks(config: Mapping[str, Any], folder: Path) -> list[keras.callbacks.Callback]:
    """Keras's own callback where the config asks for it.

    It writes each epoch's metrics and changes no number of the training. Graph and profile are left
    out: they cost more than a short run.

    Args:
        config: the resolved config.
        folder: the job's output folder.
    """
    if not config["training"]["tensorboard"]:
        return []
    return [keras.callbacks.TensorBoard(folder / FOLDER, write_graph=False, profile_batch=0)]
