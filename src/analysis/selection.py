"""Chooses the runs to compare: the last sweep, a given one, an experiment, or a search."""

import math
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from src.analysis.runs import REQUIRED_TAGS, SCORE, FinishedRun, finished_run, with_titles
from src.analysis.sqlite_reader import PREFIX, SqliteReader
from src.analysis.statistics.candidate import NEEDED
from src.analysis.stored import FINISHED, SWEEP_COMMAND, Reader, StoredRun
from src.errors import UserError
from src.tracking.address import tracking_uri

MOST_NAMED = 3
"""So many runs are named in an error's message; the others are only counted."""
A_SWEEP = "python train.py -m loss=ce,focal seed=range(0,10)"


@dataclass(frozen=True)
class Selection:
    """The runs that are compared.

    Attributes:
        title: which ones they are, for people.
        address: of the store.
        runs: the finished ones.
        left_out: sentences on runs that are not among them, and why.
        sweep_id: parent run of the sweep, if they are one.
        artifacts: address of the parent's artifacts; empty without a sweep.
        command: as the sweep was typed; empty without one.
    """

    title: str
    address: str
    runs: list[FinishedRun]
    left_out: list[str]
    sweep_id: str | None = None
    artifacts: str = ""
    command: str = ""


def select_runs(
    root: str,
    uri: str | None = None,
    sweep_id: str | None = None,
    experiment: str | None = None,
    condition: str | None = None,
) -> Selection:
    """Reads the runs to compare; with neither of the last three, those of the last sweep.

    Args:
        root: folder of the SQLite store.
        uri: address of the store instead; ``MLFLOW_TRACKING_URI`` wins over both.
        sweep_id: run id of a sweep's parent.
        experiment: name of an MLflow experiment.
        condition: in MLflow's search syntax.

    Raises:
        UserError: where there is no store, or nothing in it that was asked for.
    """
    if sweep_id and (experiment or condition):
        raise UserError("--sweep: names the runs alone; leave out --experiment and --filter")
    reader = open_reader(root, uri, searching=condition is not None)
    if not experiment and not condition:
        return _sweep(reader, _parent(reader, sweep_id))
    found = reader.matching(experiment, condition)
    experiments = [f"experiment {experiment}"] if experiment else []
    title = " and ".join(experiments + ([f"runs with {condition}"] if condition else []))
    runs, left_out = _finished(run for run in found if SWEEP_COMMAND not in run.tags)
    if not runs:
        raise UserError(f"{title}: holds no finished run{in_short(left_out)}; {A_SWEEP} makes some")
    return Selection(title, reader.address, runs, left_out)


def open_reader(root: str, uri: str | None, *, searching: bool = False) -> Reader:
    """The quickest reader that can read a store.

    Args:
        root: folder of the SQLite store.
        uri: address instead.
        searching: whether it must understand MLflow's search syntax.
    """
    address = tracking_uri(root, uri)
    if address.startswith(PREFIX) and not searching:
        try:
            return SqliteReader(address)
        except sqlite3.Error:
            pass  # another layout than this MLflow's: it knows what to do or to say
    from src.analysis.mlflow_reader import MlflowReader

    return MlflowReader(root, uri)


def _parent(reader: Reader, sweep_id: str | None) -> StoredRun:
    parents = [
        run
        for run in reader.sweeps()
        if (run.status != "RUNNING" if sweep_id is None else run.run_id == sweep_id)
    ]
    if not parents and sweep_id:
        raise UserError(
            f"--sweep {sweep_id}: no such sweep in {reader.address}; right is the id of a "
            "parent run, as a sweep prints it at its end and the MLflow UI shows it"
        )
    if not parents:
        raise UserError(f"{reader.address}: holds no sweep yet; python train.py -m ... makes one")
    return max(parents, key=lambda run: run.ended_ms)


def _sweep(reader: Reader, parent: StoredRun) -> Selection:
    title = f"sweep {parent.run_id}"
    runs, left_out = _finished(reader.children(parent.run_id))
    if not runs:
        raise UserError(f"{title}: holds no finished run{in_short(left_out)}; {A_SWEEP} makes some")
    return Selection(
        title=title,
        address=reader.address,
        runs=runs,
        left_out=left_out,
        sweep_id=parent.run_id,
        artifacts=parent.artifacts,
        command=parent.tags.get(SWEEP_COMMAND, ""),
    )


def in_short(left_out: Sequence[str]) -> str:
    """The first runs that were left out, for an error's message; empty without any."""
    if not left_out:
        return ""
    more = f"; {len(left_out) - MOST_NAMED} more" if len(left_out) > MOST_NAMED else ""
    return f" (left out: {'; '.join(left_out[:MOST_NAMED])}{more})"


def _finished(stored: Iterable[StoredRun]) -> tuple[list[FinishedRun], list[str]]:
    """The runs that can be compared, and a sentence on each that cannot.

    A run is not named where another one with its identity can be compared.
    """
    reasons = [(run, _unusable(run)) for run in stored]
    usable = [run for run, reason in reasons if not reason]
    identities = {run.tags.get("identity") for run in usable} - {None}
    left_out = [
        f"{run.name or run.run_id}: {reason}"
        for run, reason in reasons
        if reason and run.tags.get("identity") not in identities
    ]
    return with_titles([finished_run(run) for run in usable]), left_out


def _unusable(run: StoredRun) -> str:
    """Why a run cannot be compared; empty where it can."""
    if run.status != FINISHED:
        return run.status
    lacking = [f"tag {name}" for name in REQUIRED_TAGS if name not in run.tags]
    lacking += [f"metric {SCORE['argmax']}"] if SCORE["argmax"] not in run.metrics else []
    if lacking:
        return f"not made by train.py (no {lacking[0]})"
    for name, value in run.metrics.items():
        if math.isnan(value) and (name.startswith("test_") or name in NEEDED):
            return f"{name} is NaN"
    return ""
