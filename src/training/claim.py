"""One trainer a run: a lock on its identity, and the folder of its checkpoint."""

import fcntl
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

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
    with _lock(folder / "lock", name):
        yield folder


def clear(folder: Path) -> None:
    """Removes the folder of a run that is recorded."""
    shutil.rmtree(folder, ignore_errors=True)


def _lock(file: Path, name: str) -> IO[str]:
    """The open file that holds the lock.

    Whoever held it before may have cleared the folder, file and all; a lock on a file that is gone
    keeps nobody out, so it is taken anew.
    """
    while True:
        file.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):
            lock = file.open("w", encoding="utf-8")
            _wait_for(lock, name)
            if _lies_at(lock, file):
                return lock
            lock.close()


def _lies_at(lock: IO[str], file: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(lock.fileno()), file.stat())
    except FileNotFoundError:
        return False


def _wait_for(lock: IO[str], name: str) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        log.info("%s: another process trains it, waiting for the answer", name)
        fcntl.flock(lock, fcntl.LOCK_EX)
