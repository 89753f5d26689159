"""The Keras callback that follows a training: one row per epoch, sent on about once a second."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras

from src.errors import first_line

log = logging.getLogger(__name__)

Row = Mapping[str, float]
LEAST_WAIT = 1.0
"""Seconds in which rows are gathered: a store takes many at once in the time of one."""
SHARE = 0.02
"""Part of a training's time that sending may take, however slow the store is."""
MOST_ROWS = 1000
"""Rows that are held back at most: the end of a training, or an interruption, waits for them."""


class EpochLogger(keras.callbacks.Callback):
    """Keeps every epoch's metrics and hands the rows to a tracker, about once a second.

    A tracker that fails is not asked again: training goes on, and the rows are in ``history.csv``
    for a later upload.

    Args:
        send: takes rows, for MLflow one batch; None keeps rows only.
        least_wait: seconds in which rows are gathered.
        clock: gives seconds.

    Attributes:
        rows: one per epoch: ``epoch`` from 1, ``time_ms`` since 1970, and the metrics by Keras's
            names, ``val_f1_macro`` among them.
        complete: whether every row was sent.
    """

    def __init__(
        self,
        send: Callable[[Sequence[Row]], None] | None = None,
        *,
        least_wait: float = LEAST_WAIT,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self.rows: list[dict[str, float]] = []
        self.complete = send is not None
        self._send = send
        self._least_wait = least_wait
        self._clock = clock
        self._sent = 0
        self._next = 0.0

    def resume(self, rows: Sequence[Row]) -> None:
        """Takes over the rows of an interrupted training; a later upload sends them."""
        self.rows = [dict(row) for row in rows]
        self._sent = len(self.rows)
        self.complete = False

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """From here on rows are gathered: all of a short training go out in one go."""
        self._next = self._clock() + self._least_wait

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Keeps the row, and sends it where the last sending is long enough ago."""
        metrics = {name: float(value) for name, value in (logs or {}).items()}
        self.rows.append({"epoch": epoch + 1, "time_ms": time.time_ns() // 10**6, **metrics})
        held_back = len(self.rows) - self._sent
        if self._clock() >= self._next or held_back >= MOST_ROWS:
            self.flush()

    def flush(self) -> None:
        """Sends the rows that were not sent yet."""
        waiting = self.rows[self._sent :]
        if self._send is None or not waiting:
            return
        began = self._clock()
        try:
            self._send(waiting)
        except Exception as error:
            said = "MLflow: epoch %d not logged (%s); training goes on"
            log.warning(said, int(waiting[0]["epoch"]), first_line(error))
            self.complete, self._send = False, None
        self._sent = len(self.rows)
        ended = self._clock()
        self._next = ended + max(self._least_wait, (ended - began) / SHARE)
