"""Follows one run from start to end: in MLflow, or in its output folder alone."""

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from src.runs import record
from src.runs.record import RunMetadata, RunRecord
from src.tracking.drawing import Pictures

if TYPE_CHECKING:
    from mlflow.entities import Run

log = logging.getLogger(__name__)

FRESH = 1.0
"""Seconds in which a run that was written to counts as there; later the store is asked, since
somebody may have deleted it. MLflow takes as long for that as for four writes."""


@dataclass(frozen=True)
class Answer:
    """A finished run that answers a job, so that it need not be trained.

    Attributes:
        name: the run's name.
        where: its MLflow run id, or its folder.
        metrics: its final metrics.
    """

    name: str
    where: str
    metrics: dict[str, float]


class FolderTracker:
    """Keeps results in the output folder alone."""

    def find(self, identity: str, folder: Path, *, anew: bool = True) -> Answer | None:
        """A finished run with the same identity among the jobs of the same sweep."""
        for candidate in sorted(folder.parent.glob(f"*/{record.RECORD}")):
            final = RunRecord.load(candidate.parent)
            if final.metadata.identity == identity and candidate.parent != folder:
                return Answer(final.metadata.name, str(candidate.parent), final.metrics)
        return None

    @contextmanager
    def following(self, metadata: RunMetadata, folder: Path) -> Iterator[None]:
        """Nothing to open and nothing to close."""
        yield

    send = None
    """No epoch is sent anywhere."""

    def finish(self, folder: Path, pictures: Pictures, *, history_sent: bool) -> bool:
        """Everything is in the folder already, but for the pictures."""
        final = RunRecord.load(folder)
        if final.tracking["plots"]:
            pictures.end(folder, final.best_epoch)
        return True


class MLflowTracker:
    """Records a run in an MLflow store as it goes.

    Args:
        tracking: the resolved ``tracking`` node.
        parent_id: the sweep's run, if the run is part of one.

    Attributes:
        store: it is kept in.

    Raises:
        UserError: where the store cannot be used.
    """

    def __init__(self, tracking: Mapping[str, Any], parent_id: str | None) -> None:
        from src.tracking.process import close_dead_runs
        from src.tracking.store import Store

        self.store = Store.open(tracking)
        if parent_id is None:  # a sweep has looked already
            close_dead_runs(self.store)
        self._parent_id = parent_id
        self._run: Run | None = None
        self._written = 0.0

    def find(self, identity: str, folder: Path, *, anew: bool = True) -> Answer | None:
        """A finished run with the same identity in the store; joins it to the sweep.

        Args:
            identity: of the run.
            folder: of the job.
            anew: whether experiments count that others have made since the store was opened.

        Raises:
            UserError: where the store answers no longer.
        """
        with self.store.needed():
            run = self.store.finished(identity, anew=anew)
            if run is None:
                return None
            if self._parent_id and f"sweep.{self._parent_id}" not in run.data.tags:
                self.store.client.set_tag(run.info.run_id, f"sweep.{self._parent_id}", "answered")
        return Answer(run.info.run_name, run.info.run_id, dict(run.data.metrics))

    @contextmanager
    def following(self, metadata: RunMetadata, folder: Path) -> Iterator[None]:
        """Opens the run; it ends FAILED after an error, KILLED after an interruption.

        Raises:
            UserError: where the store answers no longer.
        """
        from src.tracking import run_log
        from src.tracking.upload import remember_run

        with self.store.needed():
            self._run = run_log.create_run(self.store, metadata, self._parent_id)
        self._written = time.monotonic()
        run_id = self._run.info.run_id
        remember_run(folder, self.store.uri, run_id, self._parent_id)
        try:
            yield
        except BaseException as error:
            status = "FAILED" if isinstance(error, Exception) else "KILLED"
            try:
                run_log.close_run(self.store, run_id, status)
            except Exception as failure:
                log.warning("MLflow: run %s not marked %s: %s", run_id, status, failure)
            raise

    def send(self, rows: Sequence[Mapping[str, float]]) -> None:
        """Logs epochs of the run that is followed."""
        from src.tracking.run_log import log_rows

        assert self._run is not None
        log_rows(self.store, self._run.info.run_id, rows)
        self._written = time.monotonic()

    def finish(self, folder: Path, pictures: Pictures, *, history_sent: bool) -> bool:
        """Brings the whole folder into the store; a store that fails loses nothing.

        Returns:
            Whether the store has it.
        """
        from src.tracking.upload import upload

        lately = time.monotonic() - self._written < FRESH
        run = self._run if lately else None
        try:
            upload(folder, self.store, run=run, history=not history_sent, pictures=pictures)
        except Exception as error:
            log.warning(
                "MLflow: results are safe in %s but not uploaded (%s: %s). When the store is back:"
                " python -m src.tracking.upload %s",
                folder,
                type(error).__name__,
                error,
                folder,
            )
            return False
        return True


Tracker = FolderTracker | MLflowTracker


def open_tracker(tracking: Mapping[str, Any], parent_id: str | None) -> Tracker:
    """The tracker that the config asks for.

    Args:
        tracking: the resolved ``tracking`` node.
        parent_id: the sweep's run, if the run is part of one.
    """
    return MLflowTracker(tracking, parent_id) if tracking["enabled"] else FolderTracker()
