"""Several devices for one run: TensorFlow's ``MirroredStrategy``."""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import Any, cast

import tensorflow as tf

from src.errors import UserError


def scope_of(training: Mapping[str, Any]) -> AbstractContextManager[object]:
    """The context in which a model is made and compiled; ``fit`` finds the devices by the model.

    Args:
        training: the node. ``distribute`` is ``none``, or ``mirrored``, where each batch is divided
            among ``replicas`` devices of this machine, null for every GPU. On a machine without
            GPUs ``mirrored`` divides the processor into as many logical devices, to try it out.

    Raises:
        UserError: where there are not as many devices.
    """
    if training.get("distribute", "none") == "none":
        return nullcontext()
    return cast(AbstractContextManager[object], _mirrored(training.get("replicas")).scope())


@cache
def _mirrored(replicas: int | None) -> tf.distribute.Strategy:
    gpus = tf.config.list_physical_devices("GPU")
    if not gpus and replicas is None:
        raise UserError(
            "training.distribute=mirrored: this machine has no GPU; training.replicas=2 tries it "
            "on two logical devices of the processor"
        )
    if gpus and (replicas or 0) > len(gpus):
        raise UserError(f"training.replicas={replicas}: this machine has {len(gpus)} GPU(s)")
    if not gpus:
        _divide_processor(replicas or 1)
    devices = tf.config.list_logical_devices("GPU" if gpus else "CPU")
    return tf.distribute.MirroredStrategy([device.name for device in devices[:replicas]])


def _divide_processor(replicas: int) -> None:
    processor = tf.config.list_physical_devices("CPU")[0]
    parts = [tf.config.LogicalDeviceConfiguration()] * replicas
    try:
        tf.config.set_logical_device_configuration(processor, parts)
    except RuntimeError as error:
        if len(tf.config.list_logical_devices("CPU")) < replicas:
            raise UserError(
                f"training.replicas={replicas}: TensorFlow runs in this process with fewer "
                "devices, which are fixed at its first operation; use a command of its own"
            ) from error
