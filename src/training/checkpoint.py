"""The state of a training after each epoch, so that an interrupted run goes on from there.

A checkpoint is one NPZ file, replaced in one step: weights, optimizer and random generators, the
best weights so far, and the rows of the history. What goes on from it gives the same bits as what
was never interrupted.
"""

import json
import logging
import zipfile
from pathlib import Path
from typing import Any

import keras
import numpy as np

from src.tracking.epoch_logger import EpochLogger
from src.training.callbacks import BestEpoch
from src.training.claim import CHECKPOINT

log = logging.getLogger(__name__)

BEST_FIELDS = ("best_epoch", "wait", "stopped_epoch")


class Checkpoint(keras.callbacks.Callback):
    """Writes the state after each epoch, and brings an earlier one back when training begins.

    Comes last among the callbacks: what it saves is what the others have done with the epoch.

    Args:
        folder: holds the checkpoint of this run and of no other.
        model: built and compiled.
        best: its state is saved too.
        logger: its rows are saved too.

    Attributes:
        epochs_done: epochs that need not be trained again.
        stopped: whether training had ended early.
    """

    def __init__(
        self, folder: Path, model: keras.Model, best: BestEpoch, logger: EpochLogger
    ) -> None:
        super().__init__()
        self._file = folder / CHECKPOINT
        self._best = best
        self._logger = logger
        model.optimizer.build(model.trainable_variables)
        self._state = _read(self._file)
        self.epochs_done = 0
        self.stopped = False
        if self._state is not None:
            self._restore(model, self._state)

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Brings back what other callbacks forget when training begins."""
        if self._state is None:
            return
        state = json.loads(str(self._state["state"]))
        for name in BEST_FIELDS:
            setattr(self._best, name, state[name])
        self._best.best = state["best"]
        self._best.best_weights = _numbered(self._state, "best")
        self._state = None

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Writes the state."""
        state = {name: int(getattr(self._best, name)) for name in BEST_FIELDS}
        content: dict[str, Any] = {
            "state": np.array(
                json.dumps(
                    state
                    | {
                        "best": float(self._best.best),
                        "stopped": bool(self.model.stop_training),
                        "rows": self._logger.rows,
                    }
                )
            )
        }
        for number, variable in enumerate(_variables(self.model)):
            content[f"variable_{number}"] = keras.ops.convert_to_numpy(variable)
        for number, weights in enumerate(self._best.best_weights or []):
            content[f"best_{number}"] = weights
        _write(self._file, content)

    def _restore(self, model: keras.Model, state: dict[str, Any]) -> None:
        saved, variables = _numbered(state, "variable"), _variables(model)
        if [value.shape for value in saved] != [tuple(variable.shape) for variable in variables]:
            log.warning("%s: does not fit the model, starting anew", self._file)
            self._state = None
            return
        for variable, value in zip(variables, saved, strict=True):
            variable.assign(value)
        facts = json.loads(str(state["state"]))
        self._logger.resume(facts["rows"])
        self.epochs_done = len(facts["rows"])
        self.stopped = facts["stopped"]


def _variables(model: keras.Model) -> list[Any]:
    """Weights, random generators and optimizer; metrics begin each epoch anew."""
    of_metrics = {id(variable) for metric in model.metrics for variable in metric.variables}
    kept = [variable for variable in model.variables if id(variable) not in of_metrics]
    return kept + list(model.optimizer.variables)


def _numbered(content: dict[str, Any], prefix: str) -> list[Any]:
    names = [name for name in content if name.startswith(f"{prefix}_")]
    return [content[name] for name in sorted(names, key=lambda name: int(name.split("_")[1]))]


def _read(file: Path) -> dict[str, Any] | None:
    try:
        with np.load(file, allow_pickle=False) as content:
            return {name: content[name] for name in content.files}
    except FileNotFoundError:
        return None
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        log.warning("%s: cannot be read (%s), starting anew", file, error)
        return None


def _write(file: Path, content: dict[str, Any]) -> None:
    draft = file.with_name(file.name + ".part")
    with draft.open("wb") as stream:
        np.savez(stream, **content)
    draft.replace(file)
