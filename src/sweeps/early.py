"""Hydra's callback of the launcher on this machine: TensorFlow's import starts with the command.

It takes longer than composing and checking the jobs and opening the store, and goes on beside them.
"""

from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from src.sweeps.pool import start_importing


class StartImporting(Callback):
    """Starts the process that the workers are copied from."""

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Comes before the sweep's own callback."""
        start_importing()
