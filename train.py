"""Trains one model, or a sweep of them with -m; see ``python train.py --help``."""

import sys

import hydra
from omegaconf import DictConfig

from src.config.register import register
from src.entry import guarded
from src.tracking.sweep import following_sweep, handing_over

register()


@hydra.main(version_base="1.3", config_path="conf", config_name="config")
def main(cfg: DictConfig) -> float:
    """Runs one job; a wrong config ends here, before anything that computes is imported."""
    from src.config.check import check

    check(cfg)
    from src.training.job import run_job

    return handing_over(lambda: run_job(cfg))


def train() -> None:
    """Runs Hydra; after a sweep with ``compare=true`` compares its losses."""
    sweep = following_sweep(main)
    if sweep is not None and sweep.compare:
        from src.compare import compare_sweep

        compare_sweep(sweep.parent_id, sweep.tracking["root"], sweep.tracking["uri"])


if __name__ == "__main__":
    sys.exit(guarded(train))
