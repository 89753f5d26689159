"""One trainer per run: a lock on its identity, and the folder of its checkpoint."""

import fcntl
import logging
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, TypeVar

log = logging.getLogger(__name__)

Found = TypeVar("Found")

CHECKPOINT = "checkpoint.npz"
"""In a run's folder: its state after the last epoch that it finished."""

UNFINISHED = "unfinished"
"""Below ``tracking.root``: one folder per run that has begun and is not recorded yet."""


@contextmanager
def claimed(
    root: str, identity: str, name: str, find: Callable[[], Found | None]
) -> Iterator[tuple[Path, Found | None]]:
    """Holds a run's lock while it is trained; the lock goes with the process, however that ends.

    A run that another process trains is waited for, unless a finished run is found at once.

    Args:
        root: the ``tracking.root`` of the config.
        identity: of the run.
        name: of the run, for the message.
        find: looks for a finished run; gives None where the run must be trained.

    Yields:
        The folder for the run's checkpoint, and the finished run. What the folder holds already
        comes from an interrupted training.
    """
    folder = Path(root) / UNFINISHED / identity[:32]
    with ExitStack() as holding:
        lock = None
        with suppress(OSError):  # a finished run can be read where nothing can be written, too
            lock = holding.enter_context(_lock(folder / "lock"))
        found = find()
        if found is None and lock is None:
            lock = holding.enter_context(_lock(folder / "lock", waiting=name))
            found = find()
        if found is not None and lock is not None:
            clear(folder)
        yield folder, found


def clear(folder: Path) -> None:
    """Removes the folder of a run that is recorded."""
    shutil.rmtree(folder, ignore_errors=True)


def _lock(file: Path, waiting: str = "") -> IO[str]:
    """The open file that holds the lock; BlockingIOError where it is taken and nobody waits."""
    while True:  # a holder removes the folder in the end, and a lock on no file keeps nobody out
        file.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError), ExitStack() as closing:
            lock = closing.enter_context(file.open("w", encoding="utf-8"))
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if not waiting:
                    raise
                log.info("%s: another process trains it, waiting for its result", waiting)
                fcntl.flock(lock, fcntl.LOCK_EX)
            if os.path.samestat(os.fstat(lock.fileno()), file.stat()):
                closing.pop_all()
                return lock
