"""Says how long sweeps will take, from the runs that the store holds already; trains nothing.

    python -m src.forecast '+experiment=atlas_digits atlas=full' ['SWEEP' ...]

Each argument is what would stand behind `python train.py -m`.
"""

import argparse
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from src.config.ranges import AUTO
from src.entry import guarded
from src.errors import UserError
from src.tracking.address import add_store

if TYPE_CHECKING:
    from src.analysis.runs import FinishedRun

CONF = Path(__file__).resolve().parents[1] / "conf"
GROUPS = ("loss", "data", "model", "sampling", "estimator")
"""Groups whose choice is a parameter of a run, by its ``name``."""


@dataclass(frozen=True)
class PlannedJob:
    """The facts of a job before it is run.

    Attributes:
        params: its swept parameters.
        epochs: 0 where that is not known, or an estimator is fitted.
        planned: processor seconds, about; 0 where the set's size is not known.
    """

    params: dict[str, str]
    epochs: int
    planned: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints jobs, jobs done and time for each sweep, and their sum.

    A study's plan knows about how many processor seconds a job takes; the time that finished jobs
    took, of this sweep and of those named before it, makes clock time of them.
    """
    options = _parser().parse_args(arguments)
    from src.analysis.pace import pace_of
    from src.sweeps.tuning import duration

    keys = {words.partition("=")[0] for words in options.sweep}
    if len(keys) == len(options.sweep) > 1 and not any(" " in words for words in options.sweep):
        whole = shlex.quote(" ".join(options.sweep))
        raise UserError(f"a sweep is one argument, in quotes: python -m src.forecast {whole}")
    total, measured, planned = 0.0, 0.0, 0.0
    for words in options.sweep:
        jobs, experiment, cores = _plan(_split(words))
        runs = _runs(options, experiment)
        pace = pace_of(runs)
        found = list(zip(jobs, _matching([job.params for job in jobs], runs), strict=True))
        measured += sum(pace.spans[run_id] for _, run_id in found if run_id)
        planned += sum(job.planned for job, run_id in found if run_id)
        ratio = measured / planned if planned else 1 / cores
        left = [job for job, run_id in found if not run_id]
        seconds = sum(
            job.planned * ratio or pace.seconds(job.params["data.name"], job.epochs) for job in left
        )
        total += seconds
        to_go = f"{duration(seconds)} to go"
        if isnan(seconds):
            to_go = f"time not known: no run of experiment {experiment} has ended yet"
        print(f"{words}: {len(jobs)} jobs, {len(jobs) - len(left)} done, {to_go}")
    if not isnan(total):
        print(f"In all about {duration(total)}, at the pace of the runs in {options.root}.")
    return 0


def _split(words: str) -> list[str]:
    try:
        return shlex.split(words)
    except ValueError as error:
        raise UserError(f"{words}: a quote is opened and not closed") from error


def _runs(options: argparse.Namespace, experiment: str) -> "list[FinishedRun]":
    """The finished runs of an experiment; none where the store has no such experiment yet."""
    from src.analysis.selection import select_runs
    from src.tracking.store import Store

    store = Store.at(options.root, options.uri)
    if experiment not in [known.name for known in store.experiments()]:
        return []
    found = select_runs(options.root, options.uri, experiment=experiment)
    return [*found.runs, *found.references]


def _matching(jobs: Sequence[Mapping[str, str]], runs: "Sequence[FinishedRun]") -> list[str | None]:
    """The id of a finished run with a job's parameters, for each job; None where there is none."""
    params = [{key: _plain(value) for key, value in run.params.items()} for run in runs]
    known = {
        keys: {tuple(map(one.get, keys)): run.run_id for one, run in zip(params, runs, strict=True)}
        for keys in {tuple(job) for job in jobs}
    }
    return [known[tuple(job)].get(tuple(job.values())) for job in jobs]


def _plan(words: Sequence[str]) -> tuple[list[PlannedJob], str, int]:
    """The jobs of a sweep as the sweep itself plans them, the experiment, and the cores."""
    from hydra import compose, initialize_config_dir
    from hydra.core.global_hydra import GlobalHydra
    from hydra.core.override_parser.overrides_parser import OverridesParser

    from src.config.register import register
    from src.runs.identity import is_reference
    from src.sweeps.composer import Composer, all_overrides
    from src.sweeps.cores import workers_sharing
    from src.sweeps.data_sets import stay_on_disk, with_planned_sets
    from src.sweeps.references import all_jobs
    from src.sweeps.seeds import with_planned_seeds

    register()
    typed = OverridesParser.create().parse_overrides(list(words))
    fixed = [str(one.input_line) for one in typed if not one.is_sweep_override()]
    with initialize_config_dir(version_base="1.3", config_dir=str(CONF)):
        named = [*fixed, "hydra.job.config_name=config"]
        cfg = compose("config", named, return_hydra_config=True)
        loader = GlobalHydra.instance().config_loader()
        overrides, sets = with_planned_sets(cfg, all_overrides(loader, cfg, words))
        overrides, _ = with_planned_seeds(loader, cfg, overrides)
        given = {one.get_key_element() for one in typed if not one.is_sweep_override()}
        composer, jobs = Composer(loader, cfg), []
        for number, job in enumerate(all_jobs(cfg, overrides)):
            config = composer.checked(composer.job(number, job))
            if is_reference(config) and stay_on_disk(config["data"]):
                continue  # as the sweep leaves it out
            params = {"data.name": _plain(str(config["data"]["name"]))}
            for key, _, value in (word.partition("=") for word in job):
                if key not in given:
                    params[f"{key}.name" if key in GROUPS else key] = _plain(value)
            budget = config["training"]["epochs"]
            epochs = 0 if budget == AUTO or is_reference(config) else int(budget)
            jobs.append(PlannedJob(params, epochs, sets.seconds(job, config)))
    return jobs, cfg.tracking.experiment, workers_sharing(cfg.hydra.launcher, len(jobs))


@cache
def _plain(value: str) -> str:
    """One spelling of a value, however it was typed: ``[64,64]`` is ``[64, 64]``, ``1`` ``1.0``."""
    found = yaml.safe_load(value)
    return str(int(found) if isinstance(found, float) and found.is_integer() else found)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m src.forecast",
        description="Say how long sweeps will take, from the runs that are in the store already.",
    )
    add = parser.add_argument
    add("sweep", nargs="+", help="what would stand behind `python train.py -m`, in quotes")
    add_store(add)
    return parser


if __name__ == "__main__":
    raise SystemExit(guarded(main))
