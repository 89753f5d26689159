"""Whose gradient trains the model: easy majority, hard majority or minority, epoch by epoch.

The pull of a training row is the L1 norm of its loss's gradient by the logits; for cross-entropy
it is 2 (1 - p_t). Focal loss was made to take the many small pulls of easy negatives away (Lin et
al. 2017, section 3); this measures whether it does, and when that matters.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from src.data.dataset import Dataset, decoded
from src.engine.build import build, data_arguments
from src.engine.fit import train

EASY = 0.95
"""A majority row is easy where the reference gives its class at least this probability."""
GROUPS = ("easy majority", "hard majority", "minority")


@dataclass(frozen=True)
class Shares:
    """One epoch of one loss.

    Attributes:
        loss: name of the loss.
        epoch: how many are done; 0 is before training.
        shares: of the summed pull, by group, 0 to 1.
        val_f1: macro F1 on the validation split; NaN before training.
    """

    loss: str
    epoch: int
    shares: dict[str, float]
    val_f1: float


def pulls(loss: keras.losses.Loss, y: Any, logits: Any) -> NDArray[np.float64]:
    """L1 norm of each row's gradient by its logits.

    Args:
        loss: gives one value per row.
        y: class numbers, shape (n,).
        logits: shape (n, K).

    Returns:
        Shape (n,).
    """
    logits = tf.convert_to_tensor(logits)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        total = tf.reduce_sum(loss.call(tf.convert_to_tensor(y), logits))
    gradient = tape.gradient(total, logits)
    return np.abs(np.asarray(gradient, np.float64)).sum(axis=1)


def measure(
    config: Mapping[str, Any], losses: Mapping[str, Mapping[str, Any]], dataset: Dataset
) -> tuple[list[Shares], dict[str, float]]:
    """Trains with each loss and measures the shares after every epoch.

    The first loss is the reference: its last epoch says which majority rows are easy.

    Args:
        config: the resolved config; its ``loss`` node is replaced.
        losses: resolved ``loss`` nodes by name.
        dataset: its training split is measured, its test split is not touched.

    Returns:
        One entry per loss and epoch, and the share of the training rows that each group has.
    """
    groups: dict[str, NDArray[np.bool_]] = {}
    found = []
    for name, node in losses.items():
        watch = _Logits(decoded(dataset.x_train))
        history = train({**config, "loss": node}, dataset, name, [watch]).history
        loss = build(node["fn"], "loss.fn", data_arguments(dataset))
        groups = groups or _groups(dataset, watch.logits[-1])
        scores = [float("nan"), *(row["val_f1_macro"] for row in history)]
        for epoch, logits in enumerate(watch.logits):
            pull = pulls(loss, dataset.y_train, logits)
            shares = {group: float(pull[rows].sum() / pull.sum()) for group, rows in groups.items()}
            found.append(Shares(name, epoch, shares, scores[epoch]))
    return found, {group: float(rows.mean()) for group, rows in groups.items()}


class _Logits(keras.callbacks.Callback):
    """Keeps the logits of the training split, before training and after every epoch."""

    def __init__(self, x: NDArray[np.float32]) -> None:
        super().__init__()
        self._x = x
        self.logits: list[NDArray[np.float32]] = []

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._keep()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._keep()

    def _keep(self) -> None:
        self.logits.append(np.asarray(self.model(self._x, training=False)))


def _groups(dataset: Dataset, reference: NDArray[np.float32]) -> dict[str, NDArray[np.bool_]]:
    """Which training rows belong to each group, shape (n,) each."""
    y = dataset.y_train
    majority = y == int(np.argmax(dataset.class_counts))
    p_t = np.asarray(tf.nn.softmax(reference))[np.arange(len(y)), y]
    easy = majority & (p_t >= EASY)
    return dict(zip(GROUPS, (easy, majority & ~easy, ~majority), strict=True))


def table(found: Sequence[Shares], rows: Mapping[str, float], epochs: Sequence[int]) -> str:
    """The shares as Markdown, per cent.

    Args:
        found: of all losses.
        rows: share of the training rows of each group.
        epochs: those to show.
    """
    shown = [one for one in found if one.epoch in epochs]
    lines = [
        ["loss", "epochs done", *GROUPS, "validation macro F1"],
        ["---", *["--:"] * (len(GROUPS) + 2)],
        ["share of the rows", "", *_per_cent(rows), ""],
        *([one.loss, str(one.epoch), *_per_cent(one.shares), _score(one.val_f1)] for one in shown),
    ]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _per_cent(shares: Mapping[str, float]) -> list[str]:
    return [f"{100 * shares[group]:.1f} %" for group in GROUPS]


def _score(f1: float) -> str:
    return "" if np.isnan(f1) else f"{f1:.3f}"
