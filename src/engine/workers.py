"""Several machines for one run: TensorFlow's ``MultiWorkerMirroredStrategy``.

All workers hold all the data and go through the same steps; of each batch every replica takes its
own rows. What differs between them is said by the first, the chief: whether there is anything to
train, from which epoch on, and after each epoch whether to stop.
"""

import faulthandler
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from src.config.cluster import MULTI_WORKER, VARIABLE, Cluster
from src.engine.seeding import prepare_for
from src.engine.waiting import LONGEST_WAIT, wait_for_others
from src.errors import UserError

LOST = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
)
"""What TensorFlow raises in a worker where another one has ended or cannot be reached."""
ABORTED = "Collective ops is aborted by: "
"""What its message says then, whatever the class of the error."""


class Workers:
    """The processes that train a run together, seen from one of them.

    Args:
        cluster: their addresses.
        strategy: created in this process for them.
    """

    def __init__(self, cluster: Cluster, strategy: tf.distribute.Strategy) -> None:
        self.cluster = cluster
        self.strategy = strategy
        self._sum = tf.function(self._sum_of_all, autograph=False)

    def from_chief(self, values: Sequence[Any]) -> list[NDArray[Any]]:
        """What the chief has, on every worker, to the bit; all workers call this at once.

        Args:
            values: arrays or numbers, of the same shapes and types on all workers; those of the
                others do not matter.
        """
        arrays = [np.asarray(value) for value in values]
        sent = [array.astype(np.int64) if array.dtype.kind in "bu" else array for array in arrays]
        received = self._reduced(sent, of_chief=True)
        return [value.astype(array.dtype) for value, array in zip(received, arrays, strict=True)]

    def agree(self, identity: str) -> None:
        """Makes sure that all were given the same run; all workers call this at once.

        Args:
            identity: of the run that this one was given, 64 hex digits.

        Raises:
            UserError: on all of them, names those that were given another one than the chief.
        """
        mine = np.array([int(identity[place : place + 8], 16) for place in range(0, 64, 8)])
        (chiefs,) = self.from_chief([mine])
        differs = np.zeros(len(self.cluster.workers), np.int64)
        differs[self.cluster.index] = (chiefs != mine).any()
        (total,) = self._reduced([differs], of_chief=False)
        if total.any():
            others = ", ".join(np.array(self.cluster.workers)[total > 0])
            raise UserError(
                f"training.distribute={MULTI_WORKER}: {others} was given another run than the "
                f"chief, {self.cluster.workers[0]}; right is the same command, data, code and "
                "library versions on every machine"
            )

    def _reduced(self, values: Sequence[NDArray[Any]], *, of_chief: bool) -> list[NDArray[Any]]:
        sums = self._sum([tf.convert_to_tensor(value) for value in values], of_chief)
        return [self.strategy.experimental_local_results(value)[0].numpy() for value in sums]

    def _sum_of_all(self, values: list[tf.Tensor], of_chief: bool) -> Any:
        def sums(*tensors: tf.Tensor) -> list[tf.Tensor]:
            context = tf.distribute.get_replica_context()
            counts = tf.equal(context.replica_id_in_sync_group, 0) if of_chief else True
            kept = [tf.where(counts, tensor, tf.zeros_like(tensor)) for tensor in tensors]
            return [context.all_reduce("SUM", tensor) for tensor in kept]

        return self.strategy.run(sums, args=tuple(values))


def join(cluster: Cluster, training: Mapping[str, Any]) -> Workers:
    """The workers of this process; waits for the others where it has not joined them yet.

    Args:
        cluster: their addresses.
        training: the resolved node; threads and determinism must be set before.

    Raises:
        UserError: where they do not come together.
    """
    prepare_for(training)
    return joined(cluster)


@cache
def joined(cluster: Cluster) -> Workers:
    """The same, in a process that is prepared for it.

    Raises:
        UserError: where they do not come together.
    """
    wait_for_others(cluster)
    try:
        with _ended_by_signals():
            return Workers(cluster, tf.distribute.MultiWorkerMirroredStrategy())
    except RuntimeError as error:
        raise UserError(
            f"training.distribute={MULTI_WORKER}: TensorFlow runs in this process already, without "
            "other workers; use a command of its own"
        ) from error
    except tf.errors.OpError as error:
        raise UserError(
            f"{VARIABLE}: {cluster.place} cannot join the others: {_first(error)}; right is the "
            "same list of workers on all machines, each with an index of its own"
        ) from error


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """While TensorFlow joins the workers Python hears nothing, and a worker may have died since.

    So Ctrl-C ends the process at once, and the end of the time does, with a traceback.
    """
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, signal.SIG_DFL)
    faulthandler.dump_traceback_later(LONGEST_WAIT, exit=True)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def not_alone(cluster: Cluster) -> Iterator[None]:
    """Says in one sentence that another worker has ended, where TensorFlow would fail on it.

    Raises:
        UserError: names this worker and what was seen of the others.
    """
    try:
        yield
    except tf.errors.OpError as error:
        if not isinstance(error, LOST) and ABORTED not in str(error.message):
            raise
        raise UserError(
            f"training.distribute={MULTI_WORKER}: {cluster.place} has lost another worker: "
            f"{_first(error)}. Type the same command on every machine again: it goes on after the "
            "last epoch that the chief has saved"
        ) from error


def _first(error: tf.errors.OpError) -> str:
    """The sentence of TensorFlow's message that says what happened."""
    lines = [line for line in str(error.message).splitlines() if line.strip()]
    said = next((line for line in lines if ABORTED in line), lines[0])
    return said.rpartition(ABORTED)[2].rstrip(":. ")
