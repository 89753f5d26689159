"""Makes a training repeatable: every source of randomness seeded, operations deterministic."""

import logging
import random
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import keras
import tensorflow as tf

from src.engine.sizing import own_cores
from src.errors import UserError

log = logging.getLogger(__name__)

T = TypeVar("T")
DRAW_BY_KERAS = ("src.components.", "keras.")
"""Whose parts draw by Keras's generators alone, which begin with numbers of Python's own."""


def prepare(training: Mapping[str, Any], *, own: bool = True) -> None:
    """Puts Keras and TensorFlow into the state in which each run starts.

    When TensorFlow's own generator is seeded it forgets the kernels of every graph, and to make
    them again takes longer than a short training. Nothing of Keras or of this project draws from
    it, so it is seeded only where a run has parts of somebody's own; see :func:`seeded`.

    Args:
        training: the resolved node. With ``deterministic`` operations give the same bits each time,
            in any graph; ``threads`` are those within one operation and between operations;
            ``precision`` is a dtype policy of Keras.
        own: whether something of somebody's own may draw numbers.

    Raises:
        UserError: where ``threads`` differs from what this process already runs with.
    """
    if own:
        keras.backend.clear_session(free_memory=False)  # a full collection takes longer
    _limit_threads(training["threads"])
    if training["deterministic"]:  # stays on in this process: TensorFlow offers no way back
        tf.config.experimental.enable_op_determinism()
    # Grappler regroups products with constants, in each graph in another way. Without it operations
    # run as they are written, and a graph is loaded in less time than it takes to rewrite it.
    without_grappler = {"disable_meta_optimizer": training["deterministic"]}
    tf.config.optimizer.set_experimental_options(without_grappler)
    keras.config.set_dtype_policy(training["precision"])
    if own:
        keras.utils.set_random_seed(training["seed"])


def seeded(config: Mapping[str, Any], work: Callable[[], T]) -> T:
    """Does work with every source of randomness seeded, and Keras's names counted from the first.

    Keras counts names, and keeps a generator, in each thread: a new thread begins with none.

    Args:
        config: the resolved config.
        work: builds what the run trains.

    Raises:
        UserError: as :func:`prepare`, and what the work raises.
    """
    training, own = config["training"], has_own_parts(config)
    prepare(training, own=own)
    if own:
        return work()

    def begun() -> T:
        keras.config.set_dtype_policy(training["precision"])
        random.seed(training["seed"])
        return work()

    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(begun).result()


def has_own_parts(config: Mapping[str, Any]) -> bool:
    """Whether a run is made of more than Keras and this project, on one device."""
    parts = [config[name] for name in ("model", "loss", "metric")]
    parts.append(config["training"]["optimizer"])
    known = all(target.startswith(DRAW_BY_KERAS) for target in _targets(parts))
    return not known or config["training"]["distribute"] != "none"


def _targets(node: Any) -> list[str]:
    if isinstance(node, Mapping):
        own = [str(node["_target_"])] if "_target_" in node else []
        return own + _targets(list(node.values()))
    return [target for one in node for target in _targets(one)] if isinstance(node, list) else []


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
