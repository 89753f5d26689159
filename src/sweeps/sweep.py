"""A sweep under way: which of its jobs have ended and how, and its end."""

import json
import shlex
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.core.utils import JobReturn, filter_overrides
from hydra.plugins.launcher import Launcher
from omegaconf import DictConfig, OmegaConf
from rich.console import Console
from rich.progress import Progress

from src.config.check import FULL
from src.data.errors import DataError
from src.entry import is_mistake, was_interrupted
from src.sweeps.composer import Job
from src.sweeps.cores import workers_sharing
from src.sweeps.jobs import Plan, error_of
from src.sweeps.sweep_file import write_sweep_file
from src.sweeps.table import collect_rows, markdown_table, print_table
from src.sweeps.tuning import EXTENDED, duration, named, plan_in_words, plan_tags
from src.tracking.address import DATABASE

if TYPE_CHECKING:
    from src.tracking.sweep_run import SweepRun

LONGEST_TABLE = 6000
"""Characters of it in MLflow, which takes 8,000 of a description."""
FIRST = 3
"""After so many jobs the time left is told: the start-up of the workers is in the first of them."""
MANY = 500
"""From so many jobs on they are not told one by one, but about a hundred times on the way."""
MB_OF_SCORES = 0.1
"""On disk, of a run that keeps scores alone: its folder, artifacts, and rows in the store."""
LEFT_OUT = "sets.left_out"
"""Tag of the parent run: a sentence on each data set that is not in it, as JSON."""
MOST_NAMED = 10
"""So many failed jobs are named at the end."""


class Sweep:
    """Opens the parent run, follows the jobs, and closes with the table of all of them.

    Args:
        launcher: runs the jobs.
        config: the sweep's, with its ``hydra`` node.
        total: how many jobs there are.
        tags: of the parent run: what was planned.
        plan: of the jobs, if they are known before they run.
        over_losses: whether there are losses to compare, where no plan says it.

    Attributes:
        plan: the same.
        parent: the sweep's run in MLflow, None without tracking.
        returned: what Hydra returns for each job that has ended, by the job's number.
    """

    def __init__(
        self,
        launcher: Launcher,
        config: DictConfig,
        total: int,
        tags: Mapping[str, str],
        *,
        plan: Plan | None = None,
        over_losses: bool = False,
    ) -> None:
        self.plan, self._tags, self._launcher = plan, tags, launcher
        self._over_losses = over_losses or bool(plan and plan.over_losses)
        self.parent: SweepRun | None = None
        self.returned: dict[int, JobReturn] = {}
        self._config, self._total = config, total
        self._folder = Path(config.hydra.sweep.dir).absolute()
        words = [set(job.words) for job in plan.jobs] if plan and total > 1 else [set()]
        self._shared: set[str] = set.intersection(*words)
        self._first_ended = 0.0
        self._failed: dict[int, tuple[str, Exception]] = {}
        console = Console(stderr=True)  # in a file the bar would leave blank lines
        self._bar = Progress(console=console, transient=True, disable=not console.is_terminal)
        self._task = self._bar.add_task("sweep", total=total)

    def __enter__(self) -> "Sweep":
        """Says what is planned, and opens the parent run, for which MLflow is imported.

        Raises:
            UserError: for numbers of workers or jobs that are none, before anything is said.
        """
        plan, identity = self.plan, ""
        workers_sharing(self._config.hydra.launcher, self._total, self._config.training.threads)
        tracking: Any = OmegaConf.to_container(self._config.tracking, resolve=True)
        if plan:
            identity = plan.identity
            if plan.sets_left_out:
                print("Data sets left out:", *plan.sets_left_out, sep="\n  ")
            print(plan.summary(), flush=True)
            if plan.seconds or plan.tuned:
                print(f"Plan: {_plan_in_words(plan, self._config)}.", flush=True)
            if not Path(tracking["root"], DATABASE).exists():  # else it may be done
                getattr(self._launcher, "begin", lambda _: None)(plan.jobs)
        command = shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])
        if tracking["enabled"]:
            from src.tracking.sweep_run import SweepRun

            forced = plan is None or plan.forced
            self.parent = SweepRun(tracking, command, identity, self._tags, anew=forced)
        self._folder.mkdir(parents=True, exist_ok=True)
        OmegaConf.save(self._config, self._folder / "multirun.yaml")
        run_id = self.parent.run_id if self.parent else ""
        write_sweep_file(self._folder, run_id, command, over_losses=self._over_losses)
        if self.parent and self.parent.extends:
            print(EXTENDED.format(named(self.parent.extends)), flush=True)
        return self

    def run(self, jobs: Sequence[Job]) -> None:
        """Runs jobs by a launcher of this project, or another, which tells of them at its end."""
        run = getattr(self._launcher, "run", None)
        if run is not None:
            run(jobs, self)
            return
        returned = self._launcher.launch([job.words for job in jobs], jobs[0].number)
        for job, one in zip(jobs, returned, strict=True):
            self.ended(job, one, "")

    def begins(self, job: Job) -> None:
        """Says that a job begins, whose output follows."""
        self._announce(len(self.returned) + 1, job)

    def ended(self, job: Job, returned: JobReturn, printed: str | None = None) -> None:
        """Notes how a job ended, and shows what it printed, where that has not been shown yet.

        Raises:
            DataError: where no later job can use the data either.
        """
        self.returned[job.number] = returned
        self._first_ended = self._first_ended or time.monotonic()
        error, done = error_of(returned), len(self.returned)
        few = self._total < MANY
        if printed is not None:
            self._bar.start()
            if few or error or done * 100 // self._total > (done - 1) * 100 // self._total:
                self._announce(done, job)
            if few or error:
                print(printed.strip() and f"{printed.rstrip()}\n", end="", flush=True)
            self._bar.advance(self._task)
        if error is None:
            return
        if isinstance(error, DataError) and self.plan is not None and self.plan.one_source:
            raise error
        self._failed[job.number] = (self._label(job), error)

    @property
    def results(self) -> list[JobReturn]:
        """What Hydra returns for each job that has ended, in the order of the jobs."""
        return [returned for _, returned in sorted(self.returned.items())]

    def raise_first_error(self) -> None:
        """Raises what the first job failed with; a failure of the program before a mistake."""
        errors = [error for _, (_, error) in sorted(self._failed.items())]
        for error in sorted(errors, key=is_mistake):
            raise error

    def _label(self, job: Job) -> str:
        """What tells a job from the others: its words but those that all jobs share."""
        words = filter_overrides(job.words)
        return " ".join([word for word in words if word not in self._shared] or words)

    def _announce(self, number: int, job: Job) -> None:
        """One line; the time left is taken from the jobs that ended after the first."""
        done, now, left = len(self.returned), time.monotonic(), ""
        if FIRST < done < self._total:
            a_job = (now - self._first_ended) / (done - 1)
            left = f", {duration(a_job * (self._total - done))} left"
        print(f"[{number}/{self._total}{left}] {self._label(job)}", flush=True)

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Names the jobs that failed, prints the table and ends the parent run."""
        self._bar.stop()
        getattr(self._launcher, "end", lambda: None)()
        if self._failed:
            count, words = len(self._failed), [words for words, _ in self._failed.values()]
            more = [f"and {count - MOST_NAMED} more"] if count > MOST_NAMED else []
            lines = [f"{count} job(s) failed:", *words[:MOST_NAMED], *more]
            print("\n  ".join(lines), file=sys.stderr)
        if error is None:
            self._close("FAILED" if self._failed else "FINISHED")
            return
        killed = not isinstance(error, Exception) or was_interrupted(error)
        with suppress(OSError):
            self._close("KILLED" if killed else "FAILED")

    def _close(self, status: str) -> None:
        rows = collect_rows(self._folder)
        if rows:
            print_table(rows)
        print(f"Results: {self._folder}")
        if self.parent:
            self.parent.close(status, markdown_table(rows, LONGEST_TABLE) if rows else "")


def _plan_in_words(plan: Plan, config: DictConfig) -> str:
    jobs, rows = len(plan.jobs), str(config.references.name)
    cores = workers_sharing(config.hydra.launcher, jobs, config.training.threads)
    words = plan_in_words(plan.varied, jobs, plan.references, plan.seconds, cores, rows=rows)
    if config.tracking.detail == FULL or jobs < MANY:
        return words
    return f"{words}, {jobs * MB_OF_SCORES / 1000:.1f} GB"


def run_plan(launcher: Launcher, config: DictConfig, plan: Plan) -> Sweep:
    """Runs all jobs of a plan as one sweep, which has ended when it is returned."""
    tags = plan_tags(plan.tuned, plan.seeds) | {"sweep.settings": plan.settings}
    if plan.sets_left_out:
        tags[LEFT_OUT] = json.dumps(plan.sets_left_out)
    with Sweep(launcher, config, len(plan.jobs), tags, plan=plan) as sweep:
        sweep.run(plan.jobs)
    return sweep
