"""The machines of one run, as TensorFlow's ``TF_CONFIG`` describes them; read without TensorFlow.

Every machine gets the same list of workers and its own place in it::

    TF_CONFIG='{"cluster": {"worker": ["10.0.0.1:2222", "10.0.0.2:2222"]},
                "task": {"type": "worker", "index": 0}}'
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec

from src.config.legal import in_words
from src.errors import UserError

MULTI_WORKER = "multi_worker"
"""The value of ``training.distribute``."""
VARIABLE = "TF_CONFIG"
EXAMPLE = (
    '{"cluster": {"worker": ["10.0.0.1:2222", "10.0.0.2:2222"]}, '
    '"task": {"type": "worker", "index": 0}}'
)
HIGHEST_PORT = 65535


class _Cluster(msgspec.Struct, forbid_unknown_fields=True):
    worker: list[str]


class _Task(msgspec.Struct):
    type: Literal["worker"]
    index: Annotated[int, msgspec.Meta(ge=0)]


class _Content(msgspec.Struct):
    cluster: _Cluster
    task: _Task


@dataclass(frozen=True)
class Cluster:
    """The workers of a run, and which of them this process is.

    Attributes:
        workers: ``host:port`` of each, two or more; the same on every machine.
        index: of this process, from 0.
    """

    workers: tuple[str, ...]
    index: int

    @property
    def is_chief(self) -> bool:
        """Whether this process records the run; the others only compute."""
        return self.index == 0

    @property
    def place(self) -> str:
        """For people: ``worker 0 of 2 (10.0.0.1:2222)``."""
        return f"worker {self.index} of {len(self.workers)} ({self.workers[self.index]})"


def cluster_of(training: Mapping[str, Any]) -> Cluster | None:
    """The machines that a run is divided among.

    Args:
        training: the ``training`` node.

    Returns:
        None unless ``training.distribute`` is ``multi_worker``.

    Raises:
        UserError: where ``TF_CONFIG`` is missing or wrong, or a key does not go with it.
    """
    if training.get("distribute") != MULTI_WORKER:
        return None
    if training["jit_compile"]:
        raise UserError(
            f"training.jit_compile=True: not together with training.distribute={MULTI_WORKER}; "
            "leave one of them out"
        )
    cluster = _read(os.environ.get(VARIABLE, ""))
    number, replicas = len(cluster.workers), training["replicas"]
    if replicas not in (None, number):
        raise UserError(
            f"training.replicas={replicas}: {VARIABLE} names {number} workers; "
            f"with training.distribute={MULTI_WORKER} it is their number, and may be left out"
        )
    return cluster


def _read(text: str) -> Cluster:
    if not text.strip():
        raise UserError(
            f"training.distribute={MULTI_WORKER}: the environment variable {VARIABLE} is not set; "
            f"right is, on the first machine, {VARIABLE}='{EXAMPLE}'"
        )
    try:
        content = msgspec.json.decode(text, type=_Content)
        return _checked(content)
    except (msgspec.DecodeError, ValueError) as error:
        raise UserError(
            f"{VARIABLE}={text}: {_reason(error)}; right is such as {EXAMPLE}"
        ) from None


def _checked(content: _Content) -> Cluster:
    workers, index = content.cluster.worker, content.task.index
    if len(workers) < 2:
        raise ValueError(f"cluster.worker: must name two or more workers, names {len(workers)}")
    for address in workers:
        host, _, port = address.rpartition(":")
        if not host or not port.isdecimal() or not 0 < int(port) <= HIGHEST_PORT:
            raise ValueError(
                f"cluster.worker: {address!r} must be host:port, the port from 1 to {HIGHEST_PORT}"
            )
        if workers.count(address) > 1:
            raise ValueError(f"cluster.worker: {address} is there more than once")
    if index >= len(workers):
        raise ValueError(f"task.index: must be from 0 to {len(workers) - 1}, got {index}")
    return Cluster(tuple(workers), index)


def _reason(error: Exception) -> str:
    """What msgspec says, the key first and in this project's words."""
    said, _, path = str(error).partition(" - at `$.")
    return f"{path.rstrip('`')}: {in_words(said)}" if path else said
