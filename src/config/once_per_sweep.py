"""Shows a warning about data once per sweep, not once for each process or job that reads it."""

import logging
from hashlib import sha256
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode

WARNED = ".warned"
"""Folder in the sweep's, with an empty file per warning; the sweep removes it when it ends."""


class OncePerSweep(logging.Filter):
    """Lets a warning of `src.data` through where no process of the sweep has given it before.

    A warning is known by its text, or by its attribute `once` where numbers in the text differ from
    split to split.
    """

    def __init__(self) -> None:
        super().__init__("src.data")

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is shown."""
        about_data = record.levelno == logging.WARNING and super().filter(record)
        if not about_data or HydraConfig.get().mode != RunMode.MULTIRUN:
            return True
        hydra = HydraConfig.get()
        known_by = getattr(record, "once", record.getMessage())
        name = sha256(known_by.encode()).hexdigest()
        file = Path(hydra.runtime.cwd, hydra.sweep.dir, WARNED, name)
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch(exist_ok=False)
        except FileExistsError:
            return False
        except OSError:
            pass  # shown twice rather than never
        return True
