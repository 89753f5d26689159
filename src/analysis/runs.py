"""Finished runs of the store, as rows that can be compared."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mlflow.entities import Run

from src.errors import UserError
from src.tracking.store import Store

SCORE = "test_f1_macro"


@dataclass(frozen=True)
class FinishedRun:
    """One finished run.

    Attributes:
        run_id: in MLflow.
        loss: name of the loss.
        label: the loss with the knobs it uses.
        seed: of splits and training.
        setting: the same for runs that differ in loss and seed alone.
        place: model and data, for people.
        fingerprint: of the data splits.
        score: macro F1 on the test split, 0 to 1.
        ended_ms: when it ended.
        metrics: all final metrics.
    """

    run_id: str
    loss: str
    label: str
    seed: int
    setting: str
    place: str
    fingerprint: str
    score: float
    ended_ms: int
    metrics: dict[str, float]


@dataclass(frozen=True)
class Sweep:
    """A sweep's parent run.

    Attributes:
        run_id: of the parent.
        artifacts: address of its artifacts.
        command: as typed.
        runs: its finished jobs.
        unfinished: names of the runs that did not finish, with their status.
    """

    run_id: str
    artifacts: str
    command: str
    runs: list[FinishedRun]
    unfinished: list[str]


def load_sweep(store: Store, sweep_id: str | None) -> Sweep:
    """The runs of a sweep.

    Args:
        store: where to look.
        sweep_id: the parent's run id, or None for the sweep that ended last.

    Raises:
        UserError: where there is no such sweep, or none of its runs is finished.
    """
    parent = _parent(store, sweep_id)
    children = store.children(parent.info.run_id)
    finished = [run for run in children if run.info.status == "FINISHED"]
    if not finished:
        raise UserError(
            f"sweep {parent.info.run_id}: holds no finished run; "
            "python train.py -m loss=ce,focal seed=range(0,10) makes some"
        )
    return Sweep(
        run_id=parent.info.run_id,
        artifacts=parent.info.artifact_uri,
        command=parent.data.tags.get("sweep.command", ""),
        runs=[_finished(run) for run in finished],
        unfinished=[
            f"{run.info.run_name} ({run.info.status})"
            for run in children
            if run.info.status != "FINISHED" and not _superseded(run, finished)
        ],
    )


def latest_of_each(runs: Iterable[FinishedRun]) -> dict[tuple[str, str, int], FinishedRun]:
    """The last run of each setting, loss and seed."""
    latest: dict[tuple[str, str, int], FinishedRun] = {}
    for run in sorted(runs, key=lambda run: run.ended_ms):
        latest[run.setting, run.label, run.seed] = run
    return latest


def _parent(store: Store, sweep_id: str | None) -> Run:
    condition = "tags.`sweep.command` LIKE '%'"
    if sweep_id is not None:
        condition += f" AND attributes.run_id = '{sweep_id}'"
    parents = [run for run in store.search(condition) if run.info.status != "RUNNING" or sweep_id]
    if not parents and sweep_id:
        raise UserError(
            f"--sweep {sweep_id}: no such sweep in {store.uri}; right is the id of a "
            "parent run, as a sweep prints it at its end and the MLflow UI shows it"
        )
    if not parents:
        raise UserError(f"{store.uri}: holds no sweep yet; python train.py -m ... makes one")
    return max(parents, key=lambda run: run.info.end_time or 0)


def _finished(run: Run) -> FinishedRun:
    tags, metrics = run.data.tags, dict(run.data.metrics)
    return FinishedRun(
        run_id=run.info.run_id,
        loss=tags["loss"],
        label=tags["loss.label"],
        seed=int(tags["seed"]),
        setting=tags["setting"],
        place=f"{tags['data']}, {tags['model']}",
        fingerprint=tags["data.fingerprint"],
        score=metrics[SCORE],
        ended_ms=run.info.end_time or 0,
        metrics=metrics,
    )


def _superseded(run: Run, finished: Sequence[Run]) -> bool:
    """Whether a broken run was run again to its end."""
    identity = run.data.tags.get("identity")
    return any(other.data.tags.get("identity") == identity for other in finished)
