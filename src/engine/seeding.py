"""Makes a training repeatable: every source of randomness seeded, operations deterministic."""

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from src.errors import UserError


def prepare(seed: int, *, deterministic: bool, threads: int, precision: str) -> None:
    """Puts Keras and TensorFlow into the state in which a run starts.

    Called before each run, so that the fifth job of a sweep starts as the first did: layer names
    and the random generators begin anew.

    Args:
        seed: seeds Python, NumPy, TensorFlow and Keras.
        deterministic: whether operations must give the same bits each time, in any graph.
        threads: threads within one operation and between operations.
        precision: Keras dtype policy: float32, mixed_float16 or mixed_bfloat16.

    Raises:
        UserError: where ``threads`` differs from what this process already runs with.
    """
    keras.backend.clear_session(free_memory=False)  # a full collection takes longer than a build
    _limit_threads(threads)
    if deterministic:  # stays on for the rest of the process: TensorFlow offers no way back
        tf.config.experimental.enable_op_determinism()
    # Grappler regroups products with constants, in each graph in another way. Without it operations
    # run as they are written, and a graph is loaded in less time than it takes to rewrite it.
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": deterministic})
    keras.config.set_dtype_policy(precision)
    keras.utils.set_random_seed(seed)


def prepare_for(training: Mapping[str, Any]) -> None:
    """The same, by the keys of a resolved ``training`` node."""
    prepare(
        training["seed"],
        deterministic=training["deterministic"],
        threads=training["threads"],
        precision=training["precision"],
    )


def _limit_threads(threads: int) -> None:
    config = tf.config.threading
    if config.get_intra_op_parallelism_threads() == threads:
        return
    try:
        config.set_intra_op_parallelism_threads(threads)
        config.set_inter_op_parallelism_threads(threads)
    except RuntimeError as error:
        raise UserError(
            f"training.threads={threads}: TensorFlow already runs with "
            f"{config.get_intra_op_parallelism_threads()} in this process, and the number is fixed "
            "at its first operation; sweep over threads in separate commands"
        ) from error
