"""The Keras callback that follows a training: one row an epoch, sent on as it comes."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras

log = logging.getLogger(__name__)

Row = Mapping[str, float]


class EpochLogger(keras.callbacks.Callback):
    """Keeps every epoch's metrics and hands each row to a tracker.

    A tracker that fails is not asked again: training goes on, and the rows are in
    ``history.csv`` for a later upload.

    Args:
        send: takes one row, for MLflow one batch; None keeps rows only.

    Attributes:
        rows: one an epoch: ``epoch`` from 1, ``time_ms`` since 1970, and the metrics by Keras's
            names, ``val_f1_macro`` among them.
        complete: whether every row was sent.
    """

    def __init__(self, send: Callable[[Row], None] | None = None) -> None:
        super().__init__()
        self.rows: list[dict[str, float]] = []
        self.complete = send is not None
        self._send = send

    def resume(self, rows: Sequence[Row]) -> None:
        """Takes over the rows of an earlier, interrupted training; a later upload sends them.

        Args:
            rows: of the epochs that are done.
        """
        self.rows = [dict(row) for row in rows]
        self.complete = False

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Keeps the row, then sends it."""
        metrics = {name: float(value) for name, value in (logs or {}).items()}
        self.rows.append({"epoch": epoch + 1, "time_ms": time.time_ns() // 10**6, **metrics})
        if self._send is None:
            return
        try:
            self._send(self.rows[-1])
        except Exception as error:
            log.warning("MLflow: epoch %d not logged (%s); training goes on", epoch + 1, error)
            self.complete = False
            self._send = None
