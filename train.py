"""Trains one model, or a sweep of them with -m; see ``python train.py --help``."""

import sys
from pathlib import Path

import hydra
from omegaconf import DictConfig

from src.config.help import asks_for_help, help_text
from src.config.register import register
from src.entry import convert_user_errors, guarded, run_hydra

register()


@hydra.main(version_base="1.3", config_path="conf", config_name="config")
def main(cfg: DictConfig) -> float:
    """Runs one job."""
    from src.jobs.job import run_job

    return convert_user_errors(lambda: run_job(cfg))


def start() -> None:
    """Shows the help, or lets Hydra run."""
    words = sys.argv[1:]
    if asks_for_help(words):
        print(help_text(Path(__file__).resolve().parent / "conf", words))
    else:
        run_hydra(main)


if __name__ == "__main__":
    sys.exit(guarded(start, resumes=True))
