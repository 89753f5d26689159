"""The one progress display of a sweep whose jobs run at once."""

import time
from collections.abc import Sequence
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from src.sweeps.open_sweep import OpenSweep
from src.sweeps.sweep import under_way
from src.sweeps.worker import Finished


class Display:
    """A line for each job as it ends, and on a terminal a bar with the time left.

    Args:
        jobs: how many are launched.
        workers: what runs them, for people.
    """

    def __init__(self, jobs: int, workers: str) -> None:
        self._sweep = under_way() or OpenSweep(folder=None, command="", jobs=jobs)  # type: ignore[arg-type]
        console = Console(stderr=True)
        self._bar = Progress(
            TextColumn("sweep"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[left]}"),
            TextColumn(f"[dim]{workers}"),
            console=console,
            transient=True,
            disable=not console.is_terminal,  # in a file it would leave blank lines
        )
        total = self._sweep.jobs
        self._task = self._bar.add_task("", total=total, completed=self._sweep.done, left="")

    def __enter__(self) -> "Display":
        """Shows the bar; the clock of the time left starts with the first jobs."""
        if not self._sweep.done:
            self._sweep.begun = time.monotonic()
        self._bar.start()
        return self

    def show(self, overrides: Sequence[str], finished: Finished) -> None:
        """Says that a job has ended, and what it had to say."""
        sweep = self._sweep
        sweep.note_end(overrides, finished.job.status)
        left = sweep.time_left(sweep.done)
        of_all = "" if sweep.jobs is None else f"/{sweep.jobs}"
        place = f"{sweep.done}{of_all}" + (f", {left}" if left else "")
        print(f"[{place}] {' '.join(overrides)}", flush=True)
        if finished.printed.strip():
            print(finished.printed.rstrip(), flush=True)
        self._bar.update(self._task, completed=sweep.done, left=left)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Takes the bar away."""
        self._bar.stop()
