"""A sweep as one parent run in MLflow, with its jobs as children.

Hydra's callback opens the parent before the first job and closes it after the last; a sweep that
breaks off is closed by :func:`following_sweep`, since Hydra tells callbacks of no failure.
"""

import json
import logging
import shlex
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.conf import HydraConf
from hydra.core.utils import JobReturn, JobStatus
from hydra.experimental.callback import Callback
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from src.entry import USER_MISTAKE
from src.errors import UserError
from src.tracking.process import close_dead_runs, process_tags
from src.tracking.record import write_json
from src.tracking.ui_views import CURVES, LAST_SWEEP, save_views, view_link

if TYPE_CHECKING:
    from src.tracking.sweep_plan import SweepPlan

log = logging.getLogger(__name__)

SWEEP_FILE = "sweep.json"
"""In the sweep's folder: the MLflow run that its jobs belong to."""


@dataclass
class OpenSweep:
    """A sweep that is under way.

    Attributes:
        folder: holds the jobs' output folders.
        command: as typed.
        jobs: how many there are, if that is known.
        store: the MLflow store, or None without tracking.
        parent_id: the sweep's run there.
        done: jobs that have ended.
        failed: overrides of the jobs that failed.
        begun: when, in seconds of the monotonic clock.
    """

    folder: Path
    command: str
    jobs: int | None
    store: Any = None
    parent_id: str = ""
    done: int = 0
    failed: list[str] = field(default_factory=list)
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

    def close(self, status: str) -> None:
        """Prints the table of what was done and ends the parent run."""
        from src.tracking.sweep_table import collect_rows, markdown_table, print_table

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
            links = " · ".join(
                f"[{name}]({view_link(self.store.experiment_id, key, charts=charts)})"
                for name, key, charts in (
                    ("last sweep side by side", LAST_SWEEP, False),
                    ("its curves by loss", CURVES, True),
                )
            )
            note = f"`{self.command}`\n\n{links}\n\n{markdown_table(rows)}"
            self.store.client.set_tag(self.parent_id, "mlflow.note.content", note)
            self.store.client.set_terminated(self.parent_id, status)
        except Exception as error:
            log.warning("MLflow: sweep %s not marked %s: %s", self.parent_id, status, error)


_open: list[OpenSweep] = []
"""The sweep under way in this process, if any: what a broken-off sweep is closed by.

Empty in a worker of a parallel launcher, where Hydra calls ``on_job_start`` and ``on_job_end``:
there the launcher counts the jobs itself, in the process that opened the sweep.
"""


def under_way() -> OpenSweep | None:
    """The sweep that this process has opened and not closed yet."""
    return _open[-1] if _open else None


class SweepCallback(Callback):
    """Hydra's callback: checks all jobs, opens the parent run, counts the jobs, closes it."""

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Checks every job and opens the parent, before anything is trained."""
        try:
            self._start(config)
        except UserError as error:  # Hydra turns a callback's errors into warnings, but for exits
            print(f"Error: {error}", file=sys.stderr)
            raise SystemExit(USER_MISTAKE) from error

    def on_job_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Says which job begins."""
        if _open:
            place = _open[-1].place_of(int(config.hydra.job.num))
            print(f"[{place}] {' '.join(config.hydra.overrides.task)}", flush=True)

    def on_job_end(self, config: DictConfig, job_return: JobReturn, **kwargs: Any) -> None:
        """Notes how it ended."""
        if _open:
            _open[-1].note_end(list(config.hydra.overrides.task), job_return.status)

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Closes the parent."""
        if _open:
            _open.pop().close("FINISHED")

    def _start(self, config: DictConfig) -> None:
        from src.tracking.sweep_plan import plan_sweep

        plan = plan_sweep(config)
        folder = Path(config.hydra.sweep.dir).absolute()
        command = shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])
        jobs = len(plan.jobs) if plan else config.hydra.sweeper.get("n_trials")
        sweep = OpenSweep(folder, command, jobs)
        tracking: dict[str, Any] = OmegaConf.to_container(config.tracking, resolve=True)  # type: ignore[assignment]
        if tracking["enabled"]:
            from src.tracking.store import Store

            sweep.store = Store.open(tracking)
            close_dead_runs(sweep.store)
            sweep.parent_id = _parent_run(sweep, plan)
        folder.mkdir(parents=True, exist_ok=True)
        write_json(folder / SWEEP_FILE, {"parent_run_id": sweep.parent_id, "command": command})
        _open.append(sweep)
        if plan:
            print(plan.summary(), flush=True)


def _parent_run(sweep: OpenSweep, plan: "SweepPlan | None") -> str:
    """Opens the sweep's run: the one of the same sweep done before, or a new one."""
    client, experiment_id = sweep.store.client, sweep.store.experiment_id
    if plan and not plan.forced:
        condition = f"tags.`sweep.identity` = '{plan.identity}'"
        for run in client.search_runs([experiment_id], condition, max_results=1):
            client.update_run(run.info.run_id, status="RUNNING")
            for key, value in process_tags().items():
                client.set_tag(run.info.run_id, key, value)
            return str(run.info.run_id)
    tags = process_tags() | {
        "sweep.identity": plan.identity if plan else "",
        "sweep.command": sweep.command,
        "mlflow.source.name": "train.py",
        "mlflow.source.type": "LOCAL",
        "mlflow.note.content": f"`{sweep.command}`",
    }
    name = f"sweep {_short_command(sweep.command)} {time.strftime('%Y-%m-%d %H:%M')}"
    run = client.create_run(experiment_id, tags=tags, run_name=name)
    return str(run.info.run_id)


def _short_command(command: str) -> str:
    words = [word for word in shlex.split(command)[1:] if word not in {"-m", "--multirun"}]
    return " ".join(words)[:80]


def following_sweep(main: Callable[[], Any]) -> Any:
    """Runs Hydra's main and closes a sweep that it leaves open.

    Args:
        main: Hydra's decorated main.
    """
    try:
        return main()
    except BaseException as error:
        while _open:
            sweep = _open.pop()
            if sweep.failed:
                failed = "\n  ".join(sweep.failed)
                print(f"{len(sweep.failed)} job(s) failed:\n  {failed}", file=sys.stderr)
            with suppress(Exception):  # of workers that were ended before they could say so
                if sweep.store is not None:
                    close_dead_runs(sweep.store)
            with suppress(OSError):
                sweep.close("FAILED" if isinstance(error, Exception) else "KILLED")
        raise


def parent_run_id(hydra: HydraConf) -> str | None:
    """The MLflow run of the sweep that a job belongs to.

    Args:
        hydra: the ``hydra`` node of the job's config.
    """
    if hydra.mode != RunMode.MULTIRUN:
        return None
    try:
        file = Path(hydra.sweep.dir) / SWEEP_FILE
        content = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return content.get("parent_run_id") or None
