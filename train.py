"""Trains one model, or a sweep of them with -m; see ``python train.py --help``."""

import sys
from pathlib import Path
from typing import Any

import hydra
from omegaconf import DictConfig

from src.config.help import asks_for_help, help_text
from src.config.register import register
from src.entry import guarded
from src.tracking.sweep import following_sweep

register()


@hydra.main(version_base="1.3", config_path="conf", config_name="config")
def main(cfg: DictConfig) -> float:
    """Runs one job; a wrong config ends here, before anything that computes is imported."""
    from src.config.check import check

    check(cfg)
    from src.training.job import run_job

    return run_job(cfg)


def start() -> Any:
    """Shows the help, or lets Hydra run one job or a sweep."""
    words = sys.argv[1:]
    if asks_for_help(words):
        return print(help_text(Path(__file__).resolve().parent / "conf", words))
    return following_sweep(main)


if __name__ == "__main__":
    sys.exit(guarded(start))
