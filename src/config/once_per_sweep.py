"""Shows a warning about data once per sweep, not once for each process or job that reads it."""

import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode

WARNED = ".warned"
"""Folder in the sweep's, with an empty file per warning."""


@contextmanager
def given_warnings_forgotten(sweep: Path) -> Iterator[None]:
    """Removes the marks from the sweep's folder in the end, and a folder that has nothing else."""
    try:
        yield
    finally:
        shutil.rmtree(sweep / WARNED, ignore_errors=True)
        with suppress(OSError):
            sweep.rmdir()


class OncePerSweep(logging.Filter):
    """Lets a warning of `src.data` through where no process of the sweep has given it before.

    A warning is known by its text, or by its attribute `once` where numbers in the text differ from
    split to split.

    Args:
        cwd: where the command was typed.
        sweep: the sweep's folder, from there.
    """

    def __init__(self, cwd: str, sweep: str) -> None:
        super().__init__("src.data")
        self._folder = Path(cwd, sweep, WARNED)

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is shown."""
        about_data = record.levelno == logging.WARNING and super().filter(record)
        one_run = HydraConfig.initialized() and HydraConfig.get().mode == RunMode.RUN
        if not about_data or one_run:  # a sweep that is being planned has no such config yet
            return True
        known_by = getattr(record, "once", record.getMessage())
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            (self._folder / sha256(known_by.encode()).hexdigest()).touch(exist_ok=False)
        except FileExistsError:
            return False
        except OSError:
            pass  # shown twice rather than never
        return True
