"""Says how long sweeps will take, from the runs that the store holds already; trains nothing.

    python -m src.forecast '+experiment=atlas_digits atlas=full' ['SWEEP' ...]

Each argument is what would stand behind `python train.py -m`.
"""

import argparse
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from src.entry import guarded

CONF = Path(__file__).resolve().parents[1] / "conf"
PLAIN_KEYS = {"loss": "loss.name", "data": "data.name", "model": "model.name"}
"""Where a run's parameters hold the choice of a group."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints jobs, jobs done and time for each sweep, and their sum.

    Args:
        arguments: of the command line; None takes the process's own.

    Returns:
        0.
    """
    options = _parser().parse_args(arguments)
    from src.analysis.pace import pace_of
    from src.analysis.selection import select_runs

    total = 0.0
    for words in options.sweep:
        config, jobs = _jobs(shlex.split(words))
        runs = select_runs(options.root, options.uri, experiment=config["experiment"]).runs
        known = {_key(run.params) for run in runs}
        keys = sorted({key for job in jobs for key in job})
        done = {frozenset((k, v) for k, v in run if k in keys) for run in known}
        left = [job for job in jobs if frozenset(job.items()) not in done]
        pace = pace_of(runs)
        seconds = [
            pace.seconds(
                str(job.get("data.name", config["data"])),
                int(job.get("training.epochs", config["epochs"])),
            )
            for job in left
        ]
        expected = sum(second or 0.0 for second in seconds)
        total += expected
        print(f"{words}: {len(jobs)} jobs, {len(jobs) - len(left)} done, {_time(expected)} to go")
    print(f"In all about {_time(total)}, at the pace of the runs in {options.root}.")
    return 0


def _jobs(words: Sequence[str]) -> tuple[dict[str, Any], list[dict[str, str]]]:
    """What a sweep's runs have in common, and the swept parameters of each of its jobs."""
    from hydra import compose, initialize_config_dir
    from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
    from hydra.core.override_parser.overrides_parser import OverridesParser

    from src.config.register import register

    register()
    parser = OverridesParser.create()
    typed = parser.parse_overrides(list(words))
    fixed = [word for word, one in zip(words, typed, strict=True) if not one.is_sweep_override()]
    with initialize_config_dir(version_base="1.3", config_dir=str(CONF)):
        cfg = compose("config", fixed, return_hydra_config=True)
    params = cfg.hydra.sweeper.get("params") or {}
    swept = parser.parse_overrides([f"{key}={value}" for key, value in params.items()])
    swept += [one for one in typed if one.is_sweep_override()]
    given = {word.partition("=")[0] for word in fixed}
    swept = [one for one in swept if one.get_key_element() not in given]
    jobs = [
        {
            PLAIN_KEYS.get(key, key): _plain(value)
            for key, _, value in (word.partition("=") for word in job)
        }
        for job in BasicSweeper.split_arguments(swept, max_batch_size=None)[0]
    ]
    common = {
        "experiment": cfg.tracking.experiment,
        "data": cfg.data.name,
        "epochs": cfg.training.epochs,
    }
    return common, [job | {"data.name": job.get("data.name", cfg.data.name)} for job in jobs]


def _key(params: Mapping[str, str]) -> frozenset[tuple[str, str]]:
    return frozenset((key, _plain(value)) for key, value in params.items())


def _plain(value: str) -> str:
    """One spelling of a value, however it was typed: ``[64,64]`` is ``[64, 64]``."""
    return str(yaml.safe_load(value))


def _time(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m src.forecast",
        description="Say how long sweeps will take, from the runs that are in the store already.",
    )
    add = parser.add_argument
    add("sweep", nargs="+", help="what would stand behind `python train.py -m`, in quotes")
    add("--root", default="mlruns", help="folder of the store (default: mlruns)")
    add("--uri", help="address of the store; MLFLOW_TRACKING_URI wins where it is set")
    return parser


if __name__ == "__main__":
    raise SystemExit(guarded(main))
