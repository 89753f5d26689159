"""Keras callbacks of a run: best epoch, scores of each class, safety, progress, TensorBoard."""

import operator
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from src.errors import TrainingDivergedError, UserError
from src.evaluation.epoch_choice import EpochChoice

MOST_CLASSES = 50
"""That get a curve each; the confusion matrix of the test split has all classes."""
LOG_LOSS = "val_log_loss"
"""In the logs of an epoch; the losses themselves are on scales of their own."""
TENSORBOARD = "tensorboard"
"""Folder of the logs in the output folder of a job."""


class BestEpoch(keras.callbacks.EarlyStopping):
    """Keeps the weights of the best epoch and knows which it was (counted from 1).

    The first of equals wins. With ``patience`` None all epochs are trained.

    Args:
        monitor: a key of the logs.
        mode: ``max`` or ``min``.
        patience: epochs without a better one that end the training.
        epochs: that are trained at most.
    """

    def __init__(self, monitor: str, mode: str, patience: int | None, epochs: int) -> None:
        super().__init__(
            monitor=monitor, mode=mode, patience=patience or epochs, restore_best_weights=True
        )
        self.monitor_op = operator.gt if mode == "max" else operator.lt  # Keras's are tensors'

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Refuses a key that is not in the logs, where Keras would only warn."""
        if (logs or {}).get(self.monitor) is None:
            known = ", ".join(sorted(logs or {}))
            raise UserError(f"training.monitor={self.monitor}: not measured; there are {known}")
        super().on_epoch_end(epoch, logs)

    @property
    def number(self) -> int:
        """The best epoch, from 1."""
        return int(self.best_epoch) + 1

    @property
    def value(self) -> float:
        """The monitored value in the best epoch."""
        return float(np.asarray(self.best))


class StopWhereNotFinite(keras.callbacks.Callback):
    """Ends a training whose loss or weights are NaN or infinite: its scores would mean nothing.

    As ``keras.callbacks.TerminateOnNaN``, but by an error, after an epoch, and for weights too.

    Args:
        training: the resolved node; the message names its learning rate.
    """

    def __init__(self, training: Mapping[str, Any]) -> None:
        super().__init__()
        self._training = training

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Raises `TrainingDivergedError` for a loss or a weight, with the epoch and what to try."""
        for name in ("loss", "val_loss"):
            if not np.isfinite(value := (logs or {}).get(name, 0.0)):
                self._refuse(f"{name} is {value}", epoch + 1)
        for weight in self.model.weights:
            if not np.isfinite(weight.numpy()).all():
                self._refuse(f"the weight {weight.path} is not finite", epoch + 1)

    def check_predictions(self, epoch: int, *logits: NDArray[np.floating]) -> None:
        """The same for logits, shape (n, K), that the model predicts after an epoch."""
        if not all(np.isfinite(scores).all() for scores in logits):
            self._refuse("a prediction is not finite", epoch)

    def _refuse(self, what: str, epoch: int) -> None:
        raise TrainingDivergedError(
            f"training diverged: {what} after epoch {epoch} of {self._training['epochs']}. Try a "
            f"smaller training.learning_rate ({self._training['learning_rate']} now) or "
            "model.clip_norm=1; a loss of your own must take the model's logits "
            "(from_logits=True) and be finite for large ones"
        )


class OwnEpochs(keras.callbacks.Callback):
    """Keeps the weights of the best epoch for each decision that may have one of its own.

    It adds ``val_log_loss`` to the epoch's logs, so it comes before every callback that reads them.

    Args:
        choice: is shown the logits of each epoch.
        predict: gives those of the validation split, shape (n, K).
        finite: refuses those that are no numbers.
        follows: False where no decision has an epoch of its own: log loss alone.

    Attributes:
        choice: what it was given.
        weights: of the best epoch so far, by decision.
    """

    def __init__(
        self,
        choice: EpochChoice,
        predict: Callable[[], NDArray[np.float32]],
        finite: StopWhereNotFinite,
        *,
        follows: bool = True,
    ) -> None:
        super().__init__()
        self.choice = choice
        self.weights: dict[str, list[NDArray[Any]]] = {}
        self._predict = predict
        self._finite = finite
        self._follows = follows

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Shows the epoch's logits."""
        logits = self._predict()
        self._finite.check_predictions(epoch + 1, logits)
        if logs is not None:
            logs[LOG_LOSS] = self.choice.log_loss(logits)
        if self._follows and (better := self.choice.add(epoch, logits)):
            self.weights |= dict.fromkeys(better, self.model.get_weights())


class PerClassF1(keras.callbacks.Callback):
    """Adds ``f1_class_<k>`` and ``val_f1_class_<k>`` to the epoch's logs, before others read them.

    They come from the first metric that has ``per_class``, as a ``ConfusionMetric`` has.
    """

    def __init__(self) -> None:
        super().__init__()
        self._train: dict[str, float] = {}

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Validation begins: the metrics still hold the training epoch."""
        self._train = self._scores("")

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """The metrics hold the validation split."""
        if logs is not None:
            logs.update(self._train)
            logs.update(self._scores("val_"))

    def _scores(self, prefix: str) -> dict[str, float]:
        """F1 of each class so far, unless there is no such metric, or there are many classes."""
        for compiled in self.model.metrics:
            for metric in getattr(compiled, "metrics", [compiled]):
                if hasattr(metric, "per_class"):
                    f1 = metric.per_class()["f1"].tolist()
                    few = f1 if len(f1) <= MOST_CLASSES else []
                    return {f"{prefix}f1_class_{k}": value for k, value in enumerate(few)}
        return {}


class ProgressBar(keras.callbacks.Callback):
    """One line on the terminal: epoch, loss, the monitored value, time left."""

    def __init__(self, title: str, epochs: int, monitor: str, done: int = 0) -> None:
        super().__init__()
        self._monitor = monitor
        console = Console(stderr=True)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[scores]}"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,  # in a file it would leave blank lines
        )
        self._task = self._progress.add_task(title, total=epochs, completed=done, scores="")

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Shows the bar."""
        self._progress.start()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Moves it on."""
        scores = {key: (logs or {}).get(key) for key in ("loss", self._monitor)}
        text = "  ".join(f"{key} {value:.4f}" for key, value in scores.items() if value is not None)
        self._progress.update(self._task, advance=1, scores=text)

    def close(self) -> None:
        """Takes the bar away; also after an error, so that the terminal is whole again."""
        self._progress.stop()


def tensorboard_callbacks(
    training: Mapping[str, Any], folder: Path
) -> list[keras.callbacks.Callback]:
    """Keras's own callback, into the job's output folder, where ``training.tensorboard=true``.

    It writes each epoch's metrics and changes no number of the training. Graph and profile are left
    out: they cost more than a short run.
    """
    if not training["tensorboard"]:
        return []
    return [keras.callbacks.TensorBoard(folder / TENSORBOARD, write_graph=False, profile_batch=0)]
