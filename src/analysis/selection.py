"""Chooses the runs to compare: the last sweep, a given one, an experiment, or a search."""

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from mlflow.entities import Run
from mlflow.exceptions import MlflowException

from src.analysis.runs import (
    CALIBRATION,
    CRITERIA,
    REFERENCE,
    REQUIRED_TAGS,
    SCORE,
    FinishedRun,
    finished_run,
)
from src.errors import UserError, first_line, words
from src.tracking.store import SWEEP_COMMAND, Store

PLANNED, TUNED, OF_A_SWEEP = "planned.seeds", "tuning.keys", "sweep."
SETS_LEFT_OUT = "sets.left_out"
"""Tag of a sweep's parent: as JSON, a sentence on each data set that it has not, and why."""
MOST_NAMED = 3
"""Runs that are named in an error's message; the others are only counted."""
A_SWEEP = "python train.py -m loss=ce,focal 'seed=range(0,10)'"


@dataclass(frozen=True)
class Selection:
    """The runs that are compared.

    Attributes:
        title: which ones they are, for people.
        address: of the store.
        runs: the finished ones of networks.
        left_out: sentences on runs that are not among them, and why.
        references: the finished ones of estimators, which only give the scale.
        sweep_id: run id of the sweep's parent; None without a sweep.
        artifacts: address of the parent's artifacts; empty without a sweep.
        command: as the sweep was typed; empty without a sweep.
        tuned: keys that the sweep tunes.
        planned: the seeds that the sweep planned; empty where it did not say.
        seen_before: the most of its seeds over which another sweep has compared its losses, unless
            that one had them all.
    """

    title: str
    address: str
    runs: list[FinishedRun]
    left_out: list[str]
    references: Sequence[FinishedRun] = ()
    sweep_id: str | None = None
    artifacts: str = ""
    command: str = ""
    tuned: tuple[str, ...] = ()
    planned: tuple[int, ...] = ()
    seen_before: int = 0


def select_runs(
    root: str,
    uri: str | None = None,
    sweep_id: str | None = None,
    experiment: str | None = None,
    condition: str | None = None,
) -> Selection:
    """Reads the runs to compare: those of the last sweep where none of the last three is given.

    ``MLFLOW_TRACKING_URI`` wins over ``root`` and ``uri``; ``condition`` is in MLflow's search
    syntax.

    Raises:
        UserError: where there is no store, or nothing in it that was asked for.
    """
    if sweep_id and (experiment or condition):
        raise UserError("--sweep: names the runs alone; leave out --experiment and --filter")
    store = Store.at(root, uri)
    if not experiment and not condition:
        return _sweep(store, _parent(store, sweep_id))
    found = _matching(store, experiment, condition)
    experiments = [f"experiment {experiment}"] if experiment else []
    title = " and ".join(experiments + ([f"runs with {condition}"] if condition else []))
    return Selection(title, store.uri, *_finished(title, found))


def _matching(store: Store, experiment: str | None, condition: str | None) -> Iterator[Run]:
    """Runs of one experiment, or of all, that meet a condition."""
    known = {found.name: found.experiment_id for found in store.experiments()}
    if experiment is not None and experiment not in known:
        raise UserError(f"--experiment {experiment}: no such experiment; there are {words(known)}")
    ids = known.values() if experiment is None else [known[experiment]]
    others = [] if experiment is None else [one for one in known.values() if one not in ids]
    try:
        yield from store.each(condition or "", list(ids))
        yield from _answers(store, list(ids), others, condition)
    except MlflowException as error:
        if condition is None:
            raise
        raise UserError(
            f"--filter {condition}: {first_line(error).rstrip('.')}. Right is MLflow's search "
            """syntax, such as "tags.data = 'digits' AND metrics.test_f1_macro > 0.5"."""
        ) from error


def _answers(
    store: Store, home: list[str], others: list[str], condition: str | None
) -> Iterable[Run]:
    """Runs of other experiments that answered a job of this one's sweeps."""
    also = f" AND {condition}" if condition else ""
    parents = store.search(f"tags.`{SWEEP_COMMAND}` LIKE '%'", home) if others else []
    return {
        run.info.run_id: run
        for parent in parents
        for run in store.each(f"tags.`{OF_A_SWEEP}{parent.info.run_id}` LIKE '%'{also}", others)
    }.values()


def _parent(store: Store, sweep_id: str | None) -> Run:
    if parent := store.sweep(sweep_id, ended=sweep_id is None):
        return parent
    if sweep_id:
        raise UserError(
            f"--sweep {sweep_id}: no such sweep in {store.uri}; right is the id of a "
            "parent run, as a sweep prints it at its end and the MLflow UI shows it"
        )
    raise UserError(f"{store.uri}: holds no sweep yet; {A_SWEEP} makes one")


def _sweep(store: Store, parent: Run) -> Selection:
    sweep_id = parent.info.run_id
    title, children = f"sweep {sweep_id}", store.children(sweep_id)
    runs, left_out, references = _finished(title, [parent, *children])
    return Selection(
        title=title,
        address=store.uri,
        runs=runs,
        left_out=left_out,
        references=references,
        sweep_id=sweep_id,
        artifacts=parent.info.artifact_uri or "",
        command=parent.data.tags.get(SWEEP_COMMAND, ""),
        tuned=tuple(json.loads(parent.data.tags.get(TUNED, "[]"))),
        planned=tuple(json.loads(parent.data.tags.get(PLANNED, "[]"))),
        seen_before=_seen_before(children, runs),
    )


def _seen_before(children: Sequence[Run], runs: Sequence[FinishedRun]) -> int:
    """See :class:`Selection`: a run has a tag for each sweep that it belongs to."""
    labels, seeds = defaultdict(set), defaultdict(set)
    tags = {run.info.run_id: run.data.tags for run in children}
    for run in runs:
        for name in tags[run.run_id]:
            if name.startswith(OF_A_SWEEP):
                labels[name].add(run.label)
                seeds[name].add(run.seed)
    every = {run.seed for run in runs}
    fewer = [len(seeds[name]) for name in seeds if seeds[name] < every and len(labels[name]) > 1]
    return max(fewer, default=0)


def in_short(left_out: Sequence[str]) -> str:
    """The first runs that were left out, for an error's message; empty without any."""
    if not left_out:
        return ""
    more = f"; {len(left_out) - MOST_NAMED} more" if len(left_out) > MOST_NAMED else ""
    return f" (left out: {'; '.join(left_out[:MOST_NAMED])}{more})"


def _finished(
    title: str, found: Iterable[Run]
) -> tuple[list[FinishedRun], list[str], list[FinishedRun]]:
    """The runs that can be compared, a sentence on each that cannot, and the references.

    A run is not named where another one with its identity can be compared. Sets that a sweep left
    out are named first.

    Raises:
        UserError: where no network is among the finished ones.
    """
    finished: list[FinishedRun] = []
    unusable: dict[str, str | None] = {}
    sets: list[str] = []
    identities = set()
    for run in found:
        tags = run.data.tags
        if SWEEP_COMMAND in tags:
            sets += json.loads(tags.get(SETS_LEFT_OUT, "[]"))
        elif reason := _unusable(run):
            name = run.info.run_name or run.info.run_id
            unusable[f"{name}: {reason}"] = tags.get("identity")
        else:
            finished.append(finished_run(run))
            identities.add(tags.get("identity"))
    left_out = [*dict.fromkeys(sets)]
    left_out += [said for said, one in unusable.items() if one is None or one not in identities]
    references = [run for run in finished if run.kind == REFERENCE]
    networks = [run for run in finished if run.kind != REFERENCE]
    if not networks:
        lacking = "finished run of a network" if references else "finished run"
        raise UserError(f"{title}: holds no {lacking}{in_short(left_out)}; {A_SWEEP} makes some")
    return networks, left_out, references


def _unusable(run: Run) -> str:
    """Why a run cannot be compared; empty where it can."""
    if run.info.status != "FINISHED":
        return str(run.info.status)
    lacking = [f"tag {name}" for name in REQUIRED_TAGS if name not in run.data.tags]
    lacking += [f"metric {SCORE['argmax']}"] if SCORE["argmax"] not in run.data.metrics else []
    if lacking:
        return f"not made by train.py (no {lacking[0]})"
    chosen_by = {*CRITERIA.values(), *CALIBRATION.values()}
    for name, value in run.data.metrics.items():
        if math.isnan(value) and (name.startswith("test_") or name in chosen_by):
            return f"{name} is NaN"
    return ""
