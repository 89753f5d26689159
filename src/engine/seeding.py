"""Makes a training repeatable: every source of randomness seeded, operations deterministic."""

import logging
from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from src.engine.sizing import own_cores
from src.errors import UserError

log = logging.getLogger(__name__)


def prepare(training: Mapping[str, Any]) -> None:
    """Puts Keras and TensorFlow into the state in which a run starts.

    Called before each run, so that the fifth job of a sweep starts as the first did: layer names
    and the random generators begin anew.

    Args:
        training: the resolved node. ``seed`` is that of Python, NumPy, TensorFlow and Keras; with
            ``deterministic`` operations give the same bits each time, in any graph; ``threads``
            is their number within one operation and between operations; ``precision`` is a dtype
            policy of Keras: float32, mixed_float16 or mixed_bfloat16.

    Raises:
        UserError: where ``threads`` differs from what this process already runs with.
    """
    keras.backend.clear_session(free_memory=False)  # a full collection takes longer than a build
    _limit_threads(training["threads"])
    if training["deterministic"]:  # stays on in this process: TensorFlow offers no way back
        tf.config.experimental.enable_op_determinism()
    # Grappler regroups products with constants, in each graph in another way. Without it operations
    # run as they are written, and a graph is loaded in less time than it takes to rewrite it.
    without_grappler = {"disable_meta_optimizer": training["deterministic"]}
    tf.config.optimizer.set_experimental_options(without_grappler)
    keras.config.set_dtype_policy(training["precision"])
    keras.utils.set_random_seed(training["seed"])


def is_prepared(training: Mapping[str, Any]) -> bool:
    """Whether this process is in that state, its random generators aside.

    Args:
        training: as for :func:`prepare`.
    """
    without_grappler = tf.config.optimizer.get_experimental_options().get("disable_meta_optimizer")
    found = (
        tf.config.threading.get_intra_op_parallelism_threads(),
        without_grappler,
        keras.config.dtype_policy().name,
    )
    return found == (training["threads"], training["deterministic"], training["precision"])


def _limit_threads(threads: int) -> None:
    config = tf.config.threading
    if config.get_intra_op_parallelism_threads() == threads:
        return
    if threads > own_cores():
        log.warning(
            "training.threads=%d: more than the %d core(s) of this process, which is slower; "
            "right is training.threads=auto",
            *(threads, own_cores()),
        )
    try:
        config.set_intra_op_parallelism_threads(threads)
        config.set_inter_op_parallelism_threads(threads)
    except RuntimeError as error:
        raise UserError(
            f"training.threads={threads}: TensorFlow already runs with "
            f"{config.get_intra_op_parallelism_threads()} in this process, and the number is fixed "
            "at its first operation; sweep over threads in separate commands"
        ) from error
