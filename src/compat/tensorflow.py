"""TensorFlow."""

from collections.abc import Iterator
from contextlib import contextmanager

import tensorflow as tf
from tensorflow.python.framework import config, ops


def release_gradients() -> None:
    """Lets go of the gradient functions that tracing has registered, and of the graphs they hold.

    Each operation with a gradient of its own, Keras's among them, adds a function to a registry of
    the process when it is traced, and nothing takes it out again. It holds the whole graph of the
    training step. Nobody asks for it once that step is not traced any more.

    Version: TensorFlow 2.19 to 2.21; a pull request is merged, but in no release yet.
    Upstream: https://github.com/tensorflow/tensorflow/issues/97697, and
        https://github.com/tensorflow/tensorflow/pull/109334
    Without it: memory of a sweep in one process grows by 2.4 MiB a run of a small MLP, more with
        larger models.
    """
    registry = ops.gradient_registry._registry
    for name in [name for name in registry if name.startswith("CustomGradient-")]:
        del registry[name]


@contextmanager
def without_op_determinism() -> Iterator[None]:
    """Turns op determinism off within, and on again where it was on.

    It can be turned on, and neither asked for nor turned off. While it is on, Keras takes every
    model for one that XLA cannot compile.

    Version: TensorFlow 2.8 to 2.21.
    Upstream: https://github.com/tensorflow/community/pull/346, which designed it without a way back
    Without it: the conformance kit does not apply ``trains_under_jit_compile`` in a process that
        has trained a run before.
    """
    on = config.is_op_determinism_enabled()
    if on:
        config.disable_op_determinism()
    try:
        yield
    finally:
        if on:
            tf.config.experimental.enable_op_determinism()
