"""Keras callbacks of a run: the best epoch, the progress bar."""

import operator
from typing import Any

import keras
import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


class BestEpoch(keras.callbacks.EarlyStopping):
    """Keeps the weights of the best epoch and knows which it was (counted from 1).

    The first of equals wins. With ``patience`` None all epochs are trained.

    Args:
        monitor: a key of the logs.
        mode: ``max`` or ``min``.
        patience: epochs without a better one that end the training.
        epochs: that are trained at most.
    """

    def __init__(self, monitor: str, mode: str, patience: int | None, epochs: int) -> None:
        super().__init__(
            monitor=monitor, mode=mode, patience=patience or epochs, restore_best_weights=True
        )
        self.monitor_op = operator.gt if mode == "max" else operator.lt  # Keras's are tensors'

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Refuses a key that is not in the logs, where Keras would only warn."""
        value = (logs or {}).get(self.monitor)
        if value is None:
            known = ", ".join(sorted(logs or {}))
            raise KeyError(f"training.monitor={self.monitor}: not measured; there are {known}")
        super().on_epoch_end(epoch, logs)

    @property
    def number(self) -> int:
        """The best epoch, from 1."""
        return int(self.best_epoch) + 1

    @property
    def value(self) -> float:
        """The monitored value in the best epoch."""
        return float(np.asarray(self.best))


class ProgressBar(keras.callbacks.Callback):
    """One line on the terminal: epoch, loss, the monitored value, time left."""

    def __init__(self, title: str, epochs: int, monitor: str, done: int = 0) -> None:
        super().__init__()
        self._monitor = monitor
        console = Console(stderr=True)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[scores]}"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,  # in a file it would leave blank lines
        )
        self._task = self._progress.add_task(title, total=epochs, completed=done, scores="")

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Shows the bar."""
        self._progress.start()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Moves it on."""
        scores = {key: (logs or {}).get(key) for key in ("loss", self._monitor)}
        text = "  ".join(f"{key} {value:.4f}" for key, value in scores.items() if value is not None)
        self._progress.update(self._task, advance=1, scores=text)

    def close(self) -> None:
        """Takes the bar away; also after an error, so that the terminal is whole again."""
        self._progress.stop()
