"""Trains one model, or a sweep of them with -m; see ``python train.py --help``."""

import sys
from pathlib import Path

import hydra
from omegaconf import DictConfig

from src.config.composed_once import compose_once
from src.config.help import asks_for_help, help_text
from src.config.register import register
from src.entry import guarded

register()
compose_once()


@hydra.main(version_base="1.3", config_path="conf", config_name="config")
def main(cfg: DictConfig) -> float:
    """Runs one job."""
    from src.sweeps.sweep import handing_over

    return handing_over(lambda: _job(cfg))


def _job(cfg: DictConfig) -> float:
    from src.job import run_job

    return run_job(cfg)


def start() -> None:
    """Shows the help, or lets Hydra run; compares the losses of a sweep with ``compare=true``."""
    words = sys.argv[1:]
    if asks_for_help(words):
        print(help_text(Path(__file__).resolve().parent / "conf", words))
        return
    from src.sweeps.sweep import following_sweep

    sweep = following_sweep(main)
    if sweep is not None and sweep.compare:
        from src.compare import compare_sweep

        compare_sweep(sweep.parent_id, sweep.tracking["root"], sweep.tracking["uri"])


if __name__ == "__main__":
    sys.exit(guarded(start))
