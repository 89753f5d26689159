"""Workers of one run wait until all of them are there, before TensorFlow joins them.

TensorFlow would wait too, but silently, for an hour or longer, and deaf to Ctrl-C.
"""

import logging
import socket
import time
from contextlib import suppress

from src.config.cluster import VARIABLE, Cluster
from src.errors import UserError

log = logging.getLogger(__name__)

LONGEST_WAIT = 600.0
"""Seconds until a worker gives up."""
SECONDS_BETWEEN_NEWS = 30.0
SECONDS_BETWEEN_ROUNDS = 0.2


def wait_for_others(cluster: Cluster) -> None:
    """Returns as soon as every worker listens at its address: to this function, or to TensorFlow.

    Args:
        cluster: their addresses; this one's port is free again afterwards.

    Raises:
        UserError: where the port is taken, or a worker cannot be reached for too long.
    """
    log.info("%s: waits for the others", cluster.place)
    began = time.monotonic()
    news = began + SECONDS_BETWEEN_NEWS
    with _listening(cluster) as door:
        while missing := _missing(cluster):
            _send_away(door)
            waited = time.monotonic() - began
            listed = f"{cluster.place}: cannot reach {', '.join(missing)} after {waited:.0f} s"
            if waited > LONGEST_WAIT:
                raise UserError(
                    f"{VARIABLE}: {listed}; right is the same command on every machine of the "
                    "list, each with an index of its own, and ports that are open between them"
                )
            if time.monotonic() > news:
                log.info("%s", listed)
                news += SECONDS_BETWEEN_NEWS
            time.sleep(SECONDS_BETWEEN_ROUNDS)
        _send_away(door)


def _listening(cluster: Cluster) -> socket.socket:
    """Listens at this worker's port; connections are made without being accepted."""
    _, port = _split(cluster.workers[cluster.index])
    try:
        door = socket.create_server(("", port), backlog=4 * len(cluster.workers))
    except OSError as error:
        raise UserError(
            f"{VARIABLE}: {cluster.place} cannot listen at its port ({error.strerror}); right is "
            "a free port, and an index of its own for every process"
        ) from error
    door.setblocking(False)
    return door


def _missing(cluster: Cluster) -> list[str]:
    """The other workers' addresses that no connection can be made to right now."""
    missing = []
    for index, address in enumerate(cluster.workers):
        if index == cluster.index:
            continue
        try:
            socket.create_connection(_split(address), timeout=1).close()
        except OSError:
            missing.append(address)
    return missing


def _send_away(door: socket.socket) -> None:
    """Closes the connections made so far: who made them knows all it wants to."""
    with suppress(OSError):
        while True:
            door.accept()[0].close()


def _split(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)
