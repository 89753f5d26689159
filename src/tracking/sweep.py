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
from hydra.core.hydra_config import HydraConfig
from hydra.core.utils import JobReturn, JobStatus
from hydra.experimental.callback import Callback
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from src.data.errors import DataError
from src.entry import USER_MISTAKE, HandedOver, is_mistake
from src.errors import UserError
from src.tracking.process import close_dead_runs, end_run, process_tags
from src.tracking.record import write_json
from src.tracking.ui_views import LAST_SWEEP, save_views, view_link, view_links

if TYPE_CHECKING:
    from src.tracking.sweep_plan import SweepPlan

log = logging.getLogger(__name__)

SWEEP_FILE = "sweep.json"
"""In the sweep's folder: the MLflow run that its jobs belong to."""

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
            links = view_links(self.store.experiment_id)
            head = f"`{self.command[:LONGEST_COMMAND]}`\n\n{links}\n\n"
            note = head + markdown_table(rows, LONGEST_NOTE - len(head))
            self.store.client.set_tag(self.parent_id, "mlflow.note.content", note)
            end_run(self.store.client, self.parent_id, status)
        except Exception as error:
            log.warning("MLflow: sweep %s not marked %s: %s", self.parent_id, status, error)


_open: list[OpenSweep] = []
"""The sweep under way in this process, if any: what a broken-off sweep is closed by.

Empty in a worker of a parallel launcher, where Hydra calls ``on_job_start`` and ``on_job_end``:
there the launcher counts the jobs itself, in the process that opened the sweep.
"""
_announced: list[dict[str, Any]] = []
"""In such a worker: the configs of the jobs that it gets next."""
_ended: list[OpenSweep] = []
"""The sweep that has ended in this process, until :func:`following_sweep` has returned it."""


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
        """Closes the parent; one with failed jobs is left to :func:`following_sweep`."""
        if _open and not _open[-1].failed:
            _ended.append(_open.pop())
            _ended[-1].close("FINISHED")

    def _start(self, config: DictConfig) -> None:
        from src.tracking.sweep_plan import plan_sweep

        plan = plan_sweep(config)
        folder = Path(config.hydra.sweep.dir).absolute()
        command = shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])
        sweep = OpenSweep(folder, command, plan)
        sweep.jobs = len(plan.jobs) if plan else config.hydra.sweeper.get("n_trials")
        sweep.one_source = bool(plan and plan.one_source)
        tracking: dict[str, Any] = OmegaConf.to_container(config.tracking, resolve=True)  # type: ignore[assignment]
        sweep.tracking, sweep.compare = tracking, bool(config.compare)
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


def handing_over(job: Callable[[], float]) -> float:
    """Runs a job of Hydra, which prints a line of its own about an error that it sees.

    A mistake of the user's passes it by: with the other jobs' at the end of a sweep, else at once.

    Args:
        job: gives the value that Hydra's sweepers look at.

    Returns:
        That value; NaN for a job of a sweep that failed.

    Raises:
        HandedOver: outside a sweep, or where no job of it can use the data; with the mistake as its
            cause.
    """
    try:
        return job()
    except Exception as error:
        hydra = HydraConfig.get()
        if not is_mistake(error) or (hydra.mode == RunMode.MULTIRUN and not _open):
            raise
        if not _open or (_open[-1].one_source and isinstance(error, DataError)):
            raise HandedOver(USER_MISTAKE) from error
        _open[-1].failed.append(" ".join(hydra.overrides.task))
        _open[-1].mistakes.append(error)
        return float("nan")


def following_sweep(main: Callable[[], Any]) -> OpenSweep | None:
    """Runs Hydra's main and closes a sweep that it leaves open.

    Args:
        main: Hydra's decorated main.

    Returns:
        The sweep that has ended, if it was one.

    Raises:
        Exception: the first mistake in a job.
    """
    try:
        main()
        if _open and _open[-1].mistakes:
            raise _open[-1].mistakes[0]
        return _ended.pop() if _ended else None
    except BaseException as error:
        while _open:
            sweep = _open.pop()
            if sweep.failed:
                print(sweep.failures(), file=sys.stderr)
            with suppress(Exception):  # of workers that were ended before they could say so
                if sweep.store is not None:
                    close_dead_runs(sweep.store)
            with suppress(OSError):
                failed = isinstance(error, Exception | HandedOver)
                sweep.close("FAILED" if failed else "KILLED")
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


def sweeping_alone() -> bool:
    """Whether this process runs a sweep of several jobs, one after another."""
    return bool(_open) and _open[-1].jobs != 1


def announce(configs: Sequence[dict[str, Any]]) -> None:
    """Tells a worker of a parallel launcher which jobs it gets after the one under way.

    Args:
        configs: resolved, in order; they replace what was announced before.
    """
    _announced[:] = configs


def configs_to_come(hydra: HydraConf) -> list[dict[str, Any]]:
    """The resolved configs of a sweep's later jobs, in order, as far as this process knows them.

    Args:
        hydra: the ``hydra`` node of the job under way.
    """
    if hydra.mode != RunMode.MULTIRUN:
        return []
    if not _open:
        return list(_announced)
    plan = _open[-1].plan
    return plan.configs[int(hydra.job.num) + 1 :] if plan else []
