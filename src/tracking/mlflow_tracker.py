"""Follows one run from start to end in an MLflow store."""

import logging
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mlflow.entities import Run

from src.errors import first_line
from src.runs.recorded import record
from src.runs.recorded.record import RunMetadata, RunRecord
from src.tracking.process import close_dead_runs, end_run
from src.tracking.run_log import create_run, log_rows
from src.tracking.store import Store
from src.tracking.tracker import CachedRun
from src.tracking.upload import remember_run, upload

log = logging.getLogger(__name__)


class MLflowTracker:
    """Records a run in an MLflow store as it goes.

    Args:
        tracking: the resolved ``tracking`` node.
        parent_id: the sweep's run, if the run is part of one.

    Attributes:
        store: holds the run.

    Raises:
        UserError: where the store cannot be used.
    """

    def __init__(self, tracking: Mapping[str, Any], parent_id: str | None) -> None:
        self.store = Store.open(tracking)
        if parent_id is None:  # a sweep has looked already
            with self.store.needed():
                close_dead_runs(self.store)
        self._parent_id = parent_id
        self._run: Run | None = None
        self._params: Mapping[str, str] = {}
        self._anew = True

    def find(self, identity: str, folder: Path) -> CachedRun | None:
        """A finished run with the same identity in the store; joins it to the sweep.

        Raises:
            UserError: where the store answers no longer.
        """
        self._anew = False
        with self.store.needed():
            run = self.store.finished(identity)
            if run is None:
                return None
            if self._parent_id and f"sweep.{self._parent_id}" not in run.data.tags:
                self.store.client.set_tag(run.info.run_id, f"sweep.{self._parent_id}", "answered")
        return CachedRun(run.info.run_name, run.info.run_id, dict(run.data.metrics))

    @contextmanager
    def following(self, metadata: RunMetadata, folder: Path) -> Iterator[None]:
        """Opens the run; it ends FAILED after an error, KILLED after an interruption.

        Raises:
            UserError: where the store answers no longer.
        """
        if record.DETAIL_TAG in metadata.tags:  # such a run is over soon
            remember_run(folder, self.store.uri, "", self._parent_id)
        else:
            self._open(metadata, folder)
        try:
            yield
        except BaseException as error:
            status = "FAILED" if isinstance(error, Exception) else "KILLED"
            try:
                run = self._run or self._open(metadata, folder)
                end_run(self.store.client, run.info.run_id, status)
            except Exception as failure:
                log.warning("MLflow: %s not marked %s: %s", folder, status, first_line(failure))
            raise

    def _open(self, metadata: RunMetadata, folder: Path) -> Run:
        """Opens the run, and notes in its folder which one it is."""
        with self.store.needed():
            self._params = metadata.params
            self._run = create_run(self.store, metadata, self._parent_id)
        remember_run(folder, self.store.uri, self._run.info.run_id, self._parent_id)
        return self._run

    def send(self, rows: Sequence[Mapping[str, float]]) -> None:
        """Logs epochs of the run that is followed."""
        if self._run:
            log_rows(self.store, self._run.info.run_id, rows, self._params)

    def finish(self, folder: Path, *, history_sent: bool) -> bool:
        """Draws the pictures, and brings the folder into the store; a failure loses nothing.

        Returns:
            Whether the store has it.
        """
        try:
            run_id = upload(folder, self.store, history=not history_sent)
            if self._anew:  # nobody asked for a finished run: this one replaces it
                self.store.replace(RunRecord.load(folder).metadata.identity, run_id)
        except Exception as error:
            log.warning(
                "MLflow: results are safe in %s but not uploaded (%s: %s). When the store is back:"
                " python -m src.tracking.upload %s",
                folder,
                type(error).__name__,
                first_line(error),
                shlex.quote(str(folder)),
            )
            return False
        return True
