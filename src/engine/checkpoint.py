"""The state of a training between epochs, so that an interrupted run goes on from there.

A checkpoint is one NPZ file, replaced in one step: weights, optimizer and random generators, the
best weights so far of each decision, and the rows of the history. What goes on from it gives the
same bits as what was never interrupted.
"""

import json
import logging
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from src.engine.callbacks import BestEpoch, OwnEpochs
from src.engine.epoch_logger import EpochLogger
from src.evaluation.epoch_choice import OWN_EPOCH

log = logging.getLogger(__name__)

SECONDS_APART = 1.0
"""No two checkpoints are closer: where epochs are short, this is what an interruption costs."""
VARIABLE, BEST, CHOICE = "variable", "best", "choice_"
"""How the names of its arrays begin."""
BEST_FIELDS = ("best_epoch", "wait", "stopped_epoch")
Arrays = list[NDArray[Any]]


def build_optimizer(model: keras.Model) -> None:
    """Creates the optimizer's state; once, since some optimizers would create it again."""
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)


def variables_of(model: keras.Model) -> list[Any]:
    """The state of a training: weights, random generators, and the optimizer, which is built.

    Metrics are left out, since they begin each epoch anew.
    """
    of_metrics = {id(variable) for metric in model.metrics for variable in metric.variables}
    kept = [variable for variable in model.variables if id(variable) not in of_metrics]
    return kept + list(model.optimizer.variables)


class Checkpoint(keras.callbacks.Callback):
    """Writes the state as training goes, and brings an earlier one back when it begins.

    The first epoch is saved, then about one a second.

    Comes last among the callbacks: what it saves is what the others have done with the epoch.

    Args:
        file: the checkpoint of this run and of no other; made where it is missing.
        model: built and compiled.
        best: its state is saved too.
        own: its state is saved too.
        logger: its rows are saved too.

    Attributes:
        epochs_done: epochs that need not be trained again.
        stopped: whether training had ended early.
    """

    def __init__(
        self,
        file: Path,
        model: keras.Model,
        best: BestEpoch,
        own: OwnEpochs,
        logger: EpochLogger,
    ) -> None:
        super().__init__()
        self._file, self._best, self._own, self._logger = file, best, own, logger
        with model.distribute_strategy.scope():
            build_optimizer(model)
        self._kept_best: dict[str, Any] = {}
        self.epochs_done, self.stopped = 0, False
        self._next = 0.0
        found = _read(file)
        if found is not None:
            self._restore(*found, model)

    def _restore(
        self, facts: Mapping[str, Any], lists: dict[str, Arrays], model: keras.Model
    ) -> None:
        """Goes on from a checkpoint, unless an array has no place in the model."""
        variables, values = variables_of(model), lists.pop(VARIABLE)
        shapes = [[one.shape for one in kept] for kept in lists.values() if kept]
        weights = [tuple(one.shape) for one in model.weights]
        if (
            [value.shape for value in values] != [tuple(one.shape) for one in variables]
            or any(kept != weights for kept in shapes)
            or not self._own.choice.restore(facts["choice"])
        ):
            log.warning("%s: does not fit the model, starting anew", self._file)
            return
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)
        self._logger.resume(facts["rows"])
        self._kept_best = facts["best"] | {"best_weights": lists.pop(BEST)}
        self._own.weights = lists
        self.epochs_done, self.stopped = len(facts["rows"]), facts["stopped"]

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Brings back what Keras's callback forgets when training begins."""
        for name, value in self._kept_best.items():
            setattr(self._best, name, value)
        self._kept_best = {}

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Writes the state, where it was last written long enough ago."""
        if time.monotonic() < self._next:
            return
        best = {name: int(getattr(self._best, name)) for name in BEST_FIELDS}
        facts = {
            "best": best | {"best": float(self._best.best)},
            "rows": self._logger.rows,
            "stopped": bool(self.model.stop_training),
        }
        variables = map(keras.ops.convert_to_numpy, variables_of(self.model))
        lists = {VARIABLE: variables, BEST: self._best.best_weights or [], **self._own.weights}
        content = {
            f"{name}_{number}": array
            for name, arrays in lists.items()
            for number, array in enumerate(arrays)
        }
        content |= {CHOICE + name: array for name, array in self._own.choice.state().items()}
        _write(self._file, {"state": np.array(json.dumps(facts)), **content})
        self._next = time.monotonic() + SECONDS_APART


def _read(file: Path) -> tuple[dict[str, Any], dict[str, Arrays]] | None:
    """Facts of a checkpoint and its lists of arrays; None where none was written here."""
    try:
        _refuse_compressed(file)
        with np.load(file, allow_pickle=False) as content:
            arrays = {name: content[name] for name in content.files}
        state = json.loads(str(arrays["state"]))
        facts = {
            "best": {name: state["best"][name] for name in (*BEST_FIELDS, "best")},
            "rows": [dict(row) for row in state["rows"]],
            "stopped": bool(state["stopped"]),
            "choice": {
                k.removeprefix(CHOICE): a for k, a in arrays.items() if k.startswith(CHOICE)
            },
        }
        return facts, {name: _numbered(arrays, name) for name in (VARIABLE, BEST, *OWN_EPOCH)}
    except FileNotFoundError:
        return None
    except Exception as error:  # whatever is wrong with it, training can start anew
        log.warning("%s: cannot be read (%s), starting anew", file, error)
        return None


def _refuse_compressed(file: Path) -> None:
    """Arrays here are stored as they are, so none takes more memory than the file is long."""
    with zipfile.ZipFile(file) as archive:
        if any(entry.compress_type != zipfile.ZIP_STORED for entry in archive.infolist()):
            raise ValueError("it is compressed, which no checkpoint is")


def _numbered(arrays: Mapping[str, NDArray[Any]], prefix: str) -> Arrays:
    count = sum(name.startswith(f"{prefix}_") for name in arrays)
    return [arrays[f"{prefix}_{number}"] for number in range(count)]


def _write(file: Path, content: dict[str, Any]) -> None:
    draft = file.with_name(file.name + ".part")
    with draft.open("wb") as stream:
        np.savez(stream, **content)
    draft.replace(file)
