"""Says how long sweeps will take, from the runs that the store holds already; trains nothing.

    python -m src.forecast '+experiment=atlas_digits atlas=full' ['SWEEP' ...]

Each argument is what would stand behind `python train.py -m`.
"""

import argparse
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from src.entry import guarded

CONF = Path(__file__).resolve().parents[1] / "conf"
PLAIN_KEYS = {"loss": "loss.name", "data": "data.name", "model": "model.name"}
"""The parameter of a run that holds the choice of a group."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints jobs, jobs done and time for each sweep, and their sum.

    Args:
        arguments: of the command line; None takes the process's own.
    """
    options = _parser().parse_args(arguments)
    from src.analysis.pace import pace_of
    from src.analysis.selection import select_runs
    from src.sweeps.tuning import duration

    total = 0.0
    for words in options.sweep:
        cfg, jobs = _jobs(shlex.split(words))
        runs = select_runs(options.root, options.uri, experiment=cfg.tracking.experiment).runs
        keys = {key for job in jobs for key in job}
        done = [{k: _plain(v) for k, v in run.params.items() if k in keys} for run in runs]
        left = [job for job in jobs if job not in done]
        pace = pace_of(runs)
        seconds = sum(
            pace.seconds(job["data.name"], int(job.get("training.epochs", cfg.training.epochs)))
            or 0.0
            for job in left
        )
        total += seconds
        print(f"{words}: {len(jobs)} jobs, {len(jobs) - len(left)} done, {duration(seconds)} to go")
    print(f"In all about {duration(total)}, at the pace of the runs in {options.root}.")
    return 0


def _jobs(words: Sequence[str]) -> tuple[Any, list[dict[str, str]]]:
    """The config that a sweep's jobs share, and the swept parameters of each job."""
    from hydra import compose, initialize_config_dir
    from hydra.core.global_hydra import GlobalHydra
    from hydra.core.override_parser.overrides_parser import OverridesParser

    from src.config.register import register
    from src.sweeps.composer import all_overrides, split
    from src.sweeps.seeds import with_planned_seeds

    register()
    typed = OverridesParser.create().parse_overrides(list(words))
    fixed = [str(one.input_line) for one in typed if not one.is_sweep_override()]
    with initialize_config_dir(version_base="1.3", config_dir=str(CONF)):
        named = [*fixed, "hydra.job.config_name=config"]
        cfg = compose("config", named, return_hydra_config=True)
        loader = GlobalHydra.instance().config_loader()
        overrides, _ = with_planned_seeds(loader, cfg, all_overrides(loader, cfg, words))
    given = {one.get_key_element() for one in typed if not one.is_sweep_override()}
    swept = [one for one in overrides if one.get_key_element() not in given]
    jobs = [
        {"data.name": str(cfg.data.name)}
        | {
            PLAIN_KEYS.get(key, key): _plain(value)
            for key, value in (word.split("=", 1) for word in words)
        }
        for words in split(swept)
    ]
    return cfg, jobs


def _plain(value: str) -> str:
    """One spelling of a value, however it was typed: ``[64,64]`` is ``[64, 64]``."""
    return str(yaml.safe_load(value))


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
