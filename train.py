"""Trains one model, or a sweep of them with -m; see ``python train.py --help``."""

import sys

import hydra
from omegaconf import DictConfig

from src.config.register import register
from src.entry import convert_user_errors, guarded, run_hydra

register()


@hydra.main(version_base="1.3", config_path="conf", config_name="config")
def main(cfg: DictConfig) -> float:
    """Runs one job."""
    from src.job import run_job

    return convert_user_errors(lambda: run_job(cfg))


if __name__ == "__main__":
    sys.exit(guarded(lambda: run_hydra(main), resumes=True))
