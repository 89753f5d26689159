"""Draws a run's pictures beside the work that follows: in a process of its own, on another core.

They take as long as a short training. In a sweep whose jobs run one after another they are drawn
while results are scored, written and logged.
"""

import csv
import logging
import os
import signal
import threading
import time
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from src.runs import record

log = logging.getLogger(__name__)

IDLE = 30
"""Seconds after which a process without work ends; it ends with this one too."""

LOOKS = 1.0
"""Seconds between two looks at whether the process that asks still lives."""

_pool: list[Any] = []
"""The process that draws, once there is one."""


class Pictures:
    """The pictures of one run.

    Args:
        beside: whether another process draws them.
    """

    def __init__(self, *, beside: bool) -> None:
        self._beside = beside
        self._task: Future[None] | None = None
        if beside:
            self._send(_get_ready)

    def begin(self, folder: Path, best_epoch: int) -> None:
        """Has them drawn, now or by :meth:`end`.

        Args:
            folder: holds the run's history and confusion matrix.
            best_epoch: counted from 1.
        """
        for file in _files(folder):
            file.unlink(missing_ok=True)
        if self._beside:
            self._send(_draw, folder, best_epoch)

    def end(self, folder: Path, best_epoch: int) -> None:
        """Returns when they are there.

        Raises:
            OSError: where they cannot be written.
        """
        try:
            if self._task is not None:
                self._task.result()
        except Exception as error:  # that process was ended from outside, or says it again below
            log.debug("pictures of %s: %s", folder, error)
            _pool.clear()
        draw_missing(folder, best_epoch)

    def _send(self, function: Any, *arguments: Any) -> None:
        try:
            self._task = _executor().submit(function, *arguments)
        except RuntimeError:  # the process has been ended from outside
            _pool.clear()
            self._task = None


def draw_missing(folder: Path, best_epoch: int) -> None:
    """Draws the pictures of a whole run, unless they are there.

    Args:
        folder: the run's output folder.
        best_epoch: counted from 1.
    """
    if not all(file.exists() for file in _files(folder)):
        _draw(folder, best_epoch)


def another_core() -> bool:
    """Whether there is a core to draw on."""
    from joblib import cpu_count

    return bool(cpu_count() > 1)


def _files(folder: Path) -> tuple[Path, Path]:
    return folder / record.CONFUSION_PLOT, folder / record.CURVES_PLOT


def _executor() -> Any:
    """One process, of joblib's kind: it starts without the main program's imports."""
    from joblib.externals.loky import ProcessPoolExecutor

    if not _pool:
        begin = {"initializer": _begin, "initargs": (os.getpid(),)}
        _pool.append(ProcessPoolExecutor(1, timeout=IDLE, **begin))
    return _pool[0]


def _begin(parent: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that asks
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(LOOKS)
    os._exit(1)


def _get_ready() -> None:
    import src.tracking.plots  # noqa: F401  which takes a while


def _draw(folder: Path, best_epoch: int) -> None:
    import numpy as np

    from src.tracking.plots import plot_confusion, plot_curves

    confusion, curves = _files(folder)
    with (folder / record.CONFUSION).open(encoding="utf-8", newline="") as stream:
        names, *rows = csv.reader(stream)
    plot_confusion(confusion, np.array(rows, dtype=np.int64), names)
    plot_curves(curves, record.read_history(folder / record.HISTORY), best_epoch)
