"""The config of a run, for a command that is not Hydra's own."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir

from src.config.check import check
from src.config.register import register

CONF = Path(__file__).resolve().parents[2] / "conf"


def composed(words: Sequence[str]) -> dict[str, Any]:
    """The checked and resolved config of overrides, as behind ``python train.py``."""
    register()
    with initialize_config_dir(version_base="1.3", config_dir=str(CONF)):
        return check(compose("config", list(words)))
