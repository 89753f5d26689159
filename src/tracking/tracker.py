"""Follows one run from start to end: in an MLflow store, or in its output folder alone."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from src.runs.recorded import record
from src.runs.recorded.record import RunMetadata, RunRecord

if TYPE_CHECKING:
    from src.tracking.mlflow_tracker import MLflowTracker


@dataclass(frozen=True)
class CachedRun:
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

    def find(self, identity: str, folder: Path) -> CachedRun | None:
        """A finished run with the same identity among the jobs of the same sweep."""
        for candidate in sorted(folder.parent.glob(f"*/{record.RECORD}")):
            final = RunRecord.load(candidate.parent)
            if final.metadata.identity == identity and candidate.parent != folder:
                return CachedRun(final.metadata.name, str(candidate.parent), final.metrics)
        return None

    @contextmanager
    def following(self, metadata: RunMetadata, folder: Path) -> Iterator[None]:
        """Nothing to open and nothing to close."""
        yield

    send = None
    """No epoch is sent anywhere."""

    def finish(self, folder: Path, *, history_sent: bool) -> bool:
        """Everything is in the folder already, but for the pictures."""
        draw_if_wanted(folder, RunRecord.load(folder))
        return True


Tracker: TypeAlias = "FolderTracker | MLflowTracker"


def open_tracker(tracking: Mapping[str, Any], parent_id: str | None) -> Tracker:
    """The tracker that a resolved ``tracking`` node asks for; ``parent_id`` is the sweep's run.

    Raises:
        UserError: where the store cannot be used.
    """
    if not tracking["enabled"]:
        return FolderTracker()
    from src.tracking.mlflow_tracker import MLflowTracker

    return MLflowTracker(tracking, parent_id)


def draw_if_wanted(folder: Path, final: RunRecord) -> None:
    """Draws the pictures of a whole run, where its config asks for them."""
    if final.tracking["plots"]:
        from src.tracking.plots import draw_pictures

        draw_pictures(folder, final.best_epoch)
