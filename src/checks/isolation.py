"""Runs a check in a fresh state of Keras, and leaves the caller's state as it was."""

import contextlib
import contextvars
import random
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import keras
import numpy as np
import tensorflow as tf

from src.compat.tensorflow import without_op_determinism

T = TypeVar("T")


def isolated(work: Callable[[], T]) -> T:
    """Runs work in float32 and seeded, in a thread of its own, and returns its result.

    Keras holds the dtype policy, its random generator and the counters of its names by thread; the
    rest is put back: floatx, epsilon, eager functions, op determinism (off within, since Keras
    leaves nothing to XLA with it), registered custom objects, warning filters, TensorFlow's log
    level and the random states of Python and NumPy. The kit leaves TensorFlow's
    own generator alone; a component that calls `tf.random` without a seed moves it on.

    Args:
        work: what to run.
    """
    with without_op_determinism(), _settings_kept(), ThreadPoolExecutor(1) as thread:
        return thread.submit(contextvars.copy_context().run, work).result()


@contextlib.contextmanager
def _settings_kept() -> Iterator[None]:
    floatx, epsilon = keras.config.floatx(), keras.config.epsilon()
    eager = tf.config.functions_run_eagerly()
    known = keras.saving.get_custom_objects()
    registered = dict(known)
    python_state, numpy_state = random.getstate(), np.random.get_state()  # noqa: NPY002
    logger = tf.get_logger()
    level = logger.level
    logger.setLevel("ERROR")  # each check traces anew; that is no news
    keras.config.set_floatx("float32")
    random.seed(0)  # Keras draws the seed of a new thread's generator from it
    np.random.seed(0)  # noqa: NPY002
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        keras.config.set_floatx(floatx)
        keras.config.set_epsilon(epsilon)
        tf.config.run_functions_eagerly(eager)
        known.clear()
        known.update(registered)
        random.setstate(python_state)
        np.random.set_state(numpy_state)  # noqa: NPY002
        logger.setLevel(level)
