"""A sweep that is under way: what it is, how far it has come, and how it ends."""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.core.utils import JobStatus

from src.tracking.process import end_run
from src.tracking.ui_views import LAST_SWEEP, save_views, view_link, view_links

if TYPE_CHECKING:
    from src.sweeps.sweep_plan import SweepPlan

log = logging.getLogger(__name__)

LONGEST_NOTE, LONGEST_COMMAND = 8000, 1000
"""Characters of a description: MLflow cuts off longer ones, with a warning."""
MOST_NAMED = 10
"""So many failed jobs are named at the end."""


@dataclass
class OpenSweep:
    """A sweep that is under way.

    Attributes:
        folder: holds the jobs' output folders.
        command: as typed.
        plan: its jobs, if they are known before they run.
        jobs: how many there are, if that is known.
        store: the MLflow store, or None without tracking.
        parent_id: the sweep's run there.
        done: jobs that have ended.
        failed: overrides of the jobs that failed.
        mistakes: what the user can mend, of jobs that failed.
        tracking: the ``tracking`` node of the config.
        compare: whether its losses are to be compared when it has ended.
        one_source: whether data that cannot be used ends it as a whole.
        begun: when, in seconds of the monotonic clock.
    """

    folder: Path
    command: str
    plan: "SweepPlan | None" = None
    jobs: int | None = None
    store: Any = None
    parent_id: str = ""
    done: int = 0
    failed: list[str] = field(default_factory=list)
    mistakes: list[Exception] = field(default_factory=list)
    tracking: dict[str, Any] = field(default_factory=dict)
    compare: bool = False
    one_source: bool = False
    begun: float = field(default_factory=time.monotonic)

    def place_of(self, job: int) -> str:
        """``3/10, 2 min left``: the number of a job (from 0) among all, and the time to the end."""
        if self.jobs is None:
            return str(job + 1)
        place = f"{job + 1}/{self.jobs}"
        return f"{place}, {self.time_left(job)}" if job else place

    def time_left(self, done: int) -> str:
        """``2 min left``, reckoned from the jobs that are done; empty where it cannot be."""
        if self.jobs is None or not 0 < done < self.jobs:
            return ""
        seconds = (time.monotonic() - self.begun) / done * (self.jobs - done)
        return f"{seconds / 60:.0f} min left" if seconds >= 90 else f"{seconds:.0f} s left"

    def note_end(self, overrides: Sequence[str], status: JobStatus) -> None:
        """Counts a job that has ended, and remembers one that failed."""
        self.done += 1
        if status != JobStatus.COMPLETED:
            self.failed.append(" ".join(overrides))

    def failures(self) -> str:
        """Which jobs failed; where all did so for one reason, which follows, only how many."""
        count = len(self.failed)
        if count == self.jobs and len({str(mistake) for mistake in self.mistakes}) == 1:
            return f"All {count} jobs failed alike:"
        shown = self.failed[:MOST_NAMED]
        more = [f"and {count - len(shown)} more"] if count > len(shown) else []
        return "\n  ".join([f"{count} job(s) failed:", *shown, *more])

    def close(self, status: str) -> None:
        """Prints the table of what was done and ends the parent run."""
        from src.sweeps.sweep_table import collect_rows, markdown_table, print_table

        rows = collect_rows(self.folder)
        if rows:
            print_table(rows)
        print(f"Results: {self.folder}")
        if self.store is None:
            return
        link = view_link(self.store.experiment_id, LAST_SWEEP)
        served = str(self.store.uri).startswith("http")
        where = self.store.uri if served else "`make ui`, then http://127.0.0.1:5000"
        print(f"MLflow:  sweep {self.parent_id}; {where}/{link}")
        try:
            save_views(self.store.client, self.store.experiment_id, self.parent_id)
            links = view_links(self.store.experiment_id)
            head = f"`{self.command[:LONGEST_COMMAND]}`\n\n{links}\n\n"
            note = head + markdown_table(rows, LONGEST_NOTE - len(head))
            self.store.client.set_tag(self.parent_id, "mlflow.note.content", note)
            end_run(self.store.client, self.parent_id, status)
        except Exception as error:
            log.warning("MLflow: sweep %s not marked %s: %s", self.parent_id, status, error)
