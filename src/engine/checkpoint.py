"""The state of a training between epochs, so that an interrupted run goes on from there.

A checkpoint is one NPZ file, replaced in one step: weights, optimizer and random generators, the
best weights so far of each decision, and the rows of the history. What goes on from it gives the
same bits as what was never interrupted.
"""

import json
import logging
import time
import zipfile
from dataclasses import dataclass
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
CHOICE = "choice_"
BEST_FIELDS = ("best_epoch", "wait", "stopped_epoch")


@dataclass(frozen=True)
class State:
    """The content of a checkpoint.

    Attributes:
        variables: of the model and its optimizer, in their order.
        best_weights: of the best epoch so far.
        own_weights: of the best epoch so far for each decision with one of its own.
        choice: see :meth:`src.evaluation.epoch_choice.EpochChoice.state`.
        best: the fields of :class:`BestEpoch`.
        rows: of the history, one per epoch.
        stopped: whether training had ended early.
    """

    variables: list[NDArray[Any]]
    best_weights: list[NDArray[Any]]
    own_weights: dict[str, list[NDArray[Any]]]
    choice: dict[str, NDArray[Any]]
    best: dict[str, float]
    rows: list[dict[str, float]]
    stopped: bool


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
        self._file = file
        self._best = best
        self._own = own
        self._logger = logger
        with model.distribute_strategy.scope():
            build_optimizer(model)
        self._state = _read(self._file)
        if self._state is not None and not self._fits(self._state, model):
            log.warning("%s: does not fit the model, starting anew", self._file)
            self._state = None
        self.epochs_done, self.stopped = 0, False
        self._next = 0.0
        if self._state is not None:
            for variable, value in zip(variables_of(model), self._state.variables, strict=True):
                variable.assign(value)
            logger.resume(self._state.rows)
            own.weights = self._state.own_weights
            self.epochs_done, self.stopped = len(self._state.rows), self._state.stopped

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Brings back what other callbacks forget when training begins."""
        if self._state is None:
            return
        for name, value in self._state.best.items():
            setattr(self._best, name, value)
        self._best.best_weights = self._state.best_weights
        self._state = None

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
        content: dict[str, Any] = {"state": np.array(json.dumps(facts))}
        for number, variable in enumerate(variables_of(self.model)):
            content[f"variable_{number}"] = keras.ops.convert_to_numpy(variable)
        for number, weights in enumerate(self._best.best_weights or []):
            content[f"best_{number}"] = weights
        for decision, of_decision in self._own.weights.items():
            content |= {f"{decision}_{number}": one for number, one in enumerate(of_decision)}
        content |= {CHOICE + name: array for name, array in self._own.choice.state().items()}
        _write(self._file, content)
        self._next = time.monotonic() + SECONDS_APART

    def _fits(self, state: State, model: keras.Model) -> bool:
        """Whether every array has its place in the model; the choice takes up its own."""
        variables = [tuple(variable.shape) for variable in variables_of(model)]
        weights = [tuple(weight.shape) for weight in model.weights]
        every = (state.best_weights, *state.own_weights.values())
        shapes = [[one.shape for one in kept] for kept in every]
        if variables != [value.shape for value in state.variables] or any(
            kept and kept != weights for kept in shapes
        ):
            return False
        return self._own.choice.restore(state.choice)


def _read(file: Path) -> State | None:
    """What a checkpoint holds; None where there is none, or none that was written here."""
    try:
        _refuse_compressed(file)
        with np.load(file, allow_pickle=False) as content:
            facts = json.loads(str(content["state"]))
            return State(
                variables=_numbered(content, "variable"),
                best_weights=_numbered(content, "best"),
                own_weights={name: _numbered(content, name) for name in OWN_EPOCH},
                choice={
                    name.removeprefix(CHOICE): content[name]
                    for name in content.files
                    if name.startswith(CHOICE)
                },
                best={name: facts["best"][name] for name in (*BEST_FIELDS, "best")},
                rows=[dict(row) for row in facts["rows"]],
                stopped=bool(facts["stopped"]),
            )
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


def _numbered(content: Any, prefix: str) -> list[NDArray[Any]]:
    names = [name for name in content.files if name.startswith(f"{prefix}_")]
    return [content[name] for name in sorted(names, key=lambda name: int(name.split("_")[1]))]


def _write(file: Path, content: dict[str, Any]) -> None:
    draft = file.with_name(file.name + ".part")
    with draft.open("wb") as stream:
        np.savez(stream, **content)
    draft.replace(file)
