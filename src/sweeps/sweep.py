"""A sweep as one parent run in MLflow, with its jobs as children.

Hydra's callback opens the parent before the first job and closes it after the last; a sweep that
breaks off is closed by :func:`following_sweep`, since Hydra tells callbacks of no failure.

Every ``train.py`` imports this module, so what only a sweep under way needs is imported there.
"""

import json
import logging
import shlex
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.conf import HydraConf
from hydra.core.hydra_config import HydraConfig
from hydra.core.utils import JobReturn
from hydra.experimental.callback import Callback
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import InterpolationResolutionError

from src.entry import USER_MISTAKE, HandedOver, is_mistake, was_interrupted
from src.errors import UserError
from src.tracking.process import close_dead_runs, process_tags

if TYPE_CHECKING:
    from src.sweeps.open_sweep import OpenSweep
    from src.sweeps.sweep_plan import SweepPlan

log = logging.getLogger(__name__)

SWEEP_FILE = "sweep.json"
"""In the sweep's folder: the MLflow run that its jobs belong to."""


_open: list["OpenSweep"] = []
"""The sweep under way in this process, if any: what a broken-off sweep is closed by.

Empty in a worker of a parallel launcher, where Hydra calls ``on_job_start`` and ``on_job_end``:
there the launcher counts the jobs itself, in the process that opened the sweep.
"""
_announced: list[dict[str, Any]] = []
"""In such a worker: the configs of the jobs that it gets next."""
_ended: list["OpenSweep"] = []
"""The sweep that has ended in this process, until :func:`following_sweep` has returned it."""


def under_way() -> "OpenSweep | None":
    """The sweep that this process has opened and not closed yet."""
    return _open[-1] if _open else None


class SweepCallback(Callback):
    """Hydra's callback: checks all jobs, opens the parent run, counts the jobs, closes it."""

    def on_run_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Checks the config of a job that is no sweep's, before Hydra makes a folder for it."""
        from src.config.check import check

        try:
            check(config)
        except UserError as error:
            # A resolver that fails may be ${hydra:}, which knows nothing before the job has begun;
            # the job itself checks once more.
            if type(error.__cause__) is not InterpolationResolutionError:
                raise HandedOver(USER_MISTAKE) from error

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Checks every job and opens the parent, before anything is trained."""
        try:
            self._start(config)
        except Exception as error:  # Hydra turns a callback's errors into warnings, but for exits
            if not is_mistake(error):
                raise
            raise HandedOver(USER_MISTAKE) from error

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
        from src.sweeps.sweep_plan import plan_sweep

        plan = plan_sweep(config)
        from src.runs.record import write_json
        from src.sweeps.open_sweep import OpenSweep

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


def _parent_run(sweep: "OpenSweep", plan: "SweepPlan | None") -> str:
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
        from src.data.errors import DataError

        hydra = HydraConfig.get()
        if not is_mistake(error) or (hydra.mode == RunMode.MULTIRUN and not _open):
            raise
        if not _open or (_open[-1].one_source and isinstance(error, DataError)):
            raise HandedOver(USER_MISTAKE) from error
        _open[-1].failed.append(" ".join(hydra.overrides.task))
        _open[-1].mistakes.append(error)
        return float("nan")


def following_sweep(main: Callable[[], Any]) -> "OpenSweep | None":
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
                failed = isinstance(error, Exception | HandedOver) and not was_interrupted(error)
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
