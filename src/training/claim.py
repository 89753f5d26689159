"""One trainer a run: a lock on its identity, and the folder of its checkpoint."""

import fcntl
import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)

CHECKPOINT = "checkpoint.npz"
"""In a run's folder: its state after the last epoch that it finished."""

UNFINISHED = "unfinished"
"""Below ``tracking.root``: one folder a run that has begun and is not recorded yet."""


@contextmanager
def claimed(root: str, identity: str, name: str) -> Iterator[Path]:
    """Holds a run's lock; a process that trains the same run is waited for.

    The lock goes with the process that holds it, however that ends.

    Args:
        root: the ``tracking.root`` of the config.
        identity: of the run.
        name: of the run, for the message.

    Yields:
        The folder for the run's checkpoint; what it holds is an interrupted training's.
    """
    folder = Path(root) / UNFINISHED / identity[:32]
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w", encoding="utf-8") as lock:
        _wait_for(lock, name)
        folder.mkdir(parents=True, exist_ok=True)  # whoever held the lock may have cleared it
        yield folder


def clear(folder: Path) -> None:
    """Removes the folder of a run that is recorded."""
    shutil.rmtree(folder, ignore_errors=True)


def _wait_for(lock: Any, name: str) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        log.info("%s: another process trains it, waiting for the answer", name)
        fcntl.flock(lock, fcntl.LOCK_EX)
