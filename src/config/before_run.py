"""Hydra's callback that checks the config of a single run, before Hydra makes a folder for it."""

import shlex
import sys
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig
from omegaconf.errors import InterpolationResolutionError

from src.config.check import check
from src.errors import ErrorExit, UserError


class CheckBeforeRun(Callback):
    """Ends the command where a value is wrong; the jobs of a sweep are checked by the sweep."""

    def on_run_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Checks the config; what tunes is a sweep."""
        if config.tuning["keys"]:
            sweep = ["-m", *sys.argv[1:]]
            single = [word for word in sys.argv[1:] if not word.startswith("tuning=")]
            raise ErrorExit(1) from UserError(
                f"tuning={config.tuning.name}: trains every loss at several values, which takes a "
                f"sweep: python train.py {shlex.join(sweep)}\nOne run at the values that are "
                f"given: python train.py {shlex.join([*single, 'tuning=none'])}"
            )
        if config.references.rows:
            raise ErrorExit(1) from UserError(
                f"references={config.references.name}: fits estimators beside the losses of a "
                "sweep, which takes -m; one of them alone is estimator=random_forest, or another"
            )
        try:
            check(config)
        except UserError as error:
            # A resolver that fails may be ${hydra:}, which knows nothing before the job has begun;
            # the job itself checks once more.
            if type(error.__cause__) is not InterpolationResolutionError:
                raise ErrorExit(1) from error
