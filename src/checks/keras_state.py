"""Runs a piece of code in a known state of Keras and TensorFlow, and puts the old one back."""

from __future__ import annotations

import contextlib
import random
import warnings
from collections.abc import Iterator

import keras
import numpy as np
import tensorflow as tf
from keras.src.backend.common import global_state
from tensorflow.python.eager import context
from tensorflow.python.framework import config as tf_config

# Set by keras.utils.set_random_seed, which has no counterpart that asks.
_KERAS_SEEDS = ("global_random_seed", "global_seed_generator")


@contextlib.contextmanager
def keras_state_kept(seed: int = 0) -> Iterator[None]:
    """Float32, seeded, without op determinism (XLA refuses it); afterwards all is as before.

    Put back are the dtype policy, floatx, epsilon, op determinism, eager functions, registered
    custom objects, warning filters, TensorFlow's log level and the random states of Python, NumPy,
    TensorFlow and Keras.

    Args:
        seed: of every random generator within.
    """
    policy, floatx = keras.config.dtype_policy(), keras.config.floatx()
    epsilon, eager = keras.config.epsilon(), tf.config.functions_run_eagerly()
    deterministic = tf_config.is_op_determinism_enabled()
    registered = dict(keras.saving.get_custom_objects())
    python_state, numpy_state = random.getstate(), np.random.get_state()  # noqa: NPY002
    seeds = {name: global_state.get_global_attribute(name) for name in _KERAS_SEEDS}
    tf_seed = context.global_seed()
    level = tf.get_logger().level
    tf.get_logger().setLevel("ERROR")  # each check traces anew; that is no news
    if deterministic:
        tf_config.disable_op_determinism()
    keras.config.set_floatx("float32")
    keras.config.set_dtype_policy("float32")
    keras.utils.set_random_seed(seed)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        keras.config.set_floatx(floatx)
        keras.config.set_dtype_policy(policy)
        keras.config.set_epsilon(epsilon)
        tf.config.run_functions_eagerly(eager)
        if deterministic:
            tf_config.enable_op_determinism()
        elif tf_config.is_op_determinism_enabled():
            tf_config.disable_op_determinism()
        known = keras.saving.get_custom_objects()
        known.clear()
        known.update(registered)
        random.setstate(python_state)
        np.random.set_state(numpy_state)  # noqa: NPY002
        tf.random.set_seed(tf_seed)
        tf.get_logger().setLevel(level)
        for name, value in seeds.items():
            global_state.set_global_attribute(name, value)


@contextlib.contextmanager
def unregistered() -> Iterator[None]:
    """Within, Keras knows no custom object, as a fresh process that imported nothing."""
    known = keras.saving.get_custom_objects()
    kept = dict(known)
    known.clear()
    try:
        yield
    finally:
        known.update(kept)
