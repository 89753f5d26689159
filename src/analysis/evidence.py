"""What a run left beside its metrics, where that is on this disk: epochs and predictions."""

import csv
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from src.analysis.losses import LossSummary
from src.analysis.runs import FinishedRun
from src.runs import record

MOST_SEEDS = 30
"""So many seeds of a loss are drawn; the numbers are always over all."""


@dataclass(frozen=True)
class Predictions:
    """The test split of one run.

    Attributes:
        y_true: class numbers, shape (n,).
        probabilities: shape (n, K).
        y_pred: by the decision that the report is about, shape (n,).
    """

    y_true: NDArray[np.int64]
    probabilities: NDArray[np.float64]
    y_pred: NDArray[np.int64]


@dataclass(frozen=True)
class LossEvidence:
    """The epochs and predictions of one loss, over its seeds.

    Attributes:
        summary: the loss.
        decision: ``argmax`` or ``tuned``.
    """

    summary: LossSummary
    decision: str

    @property
    def label(self) -> str:
        """The loss with its knobs."""
        return self.summary.label

    @property
    def _drawn(self) -> Sequence[FinishedRun]:
        return self.summary.runs[:MOST_SEEDS]

    @cached_property
    def predictions(self) -> list[Predictions]:
        """One a run; runs without any are passed over."""
        found = (read_predictions(run, self.decision) for run in self._drawn)
        return [one for one in found if one is not None]

    def by_epoch(self, metric: str) -> NDArray[np.float64]:
        """A metric of every run, shape (runs, epochs), NaN where a run stopped early.

        Args:
            metric: a column of ``history.csv``.

        Returns:
            Shape (0, 0) where no run has it.
        """
        columns = [rows[metric] for rows in self._histories if rows.get(metric)]
        length = max(map(len, columns), default=0)
        table = np.full((len(columns), length), np.nan)
        for row, column in enumerate(columns):
            table[row, : len(column)] = column
        return table

    @cached_property
    def _histories(self) -> list[dict[str, list[float]]]:
        found = (_read_epochs(run) for run in self._drawn)
        return [one for one in found if one is not None]


def local_folder(address: str) -> Path | None:
    """The folder behind an artifact address; None where it is not on this disk.

    Args:
        address: a path, or a URI such as ``file:///...``, ``mlflow-artifacts:/...``, ``s3://...``.
    """
    parts = urlsplit(address)
    if parts.scheme == "file":
        return Path(url2pathname(parts.path))
    return None if parts.scheme or not address else Path(address)


def read_predictions(run: FinishedRun, decision: str) -> Predictions | None:
    """The predictions of a run on the test split; None where they cannot be read.

    Args:
        run: its artifacts hold ``predictions.npz``.
        decision: ``tuned`` adds the offsets that the run recorded.
    """
    folder = local_folder(run.artifacts)
    if folder is None:
        return None
    try:
        with np.load(folder / record.PREDICTIONS, allow_pickle=False) as arrays:
            y_true, logits = arrays["y_test"], arrays["test_logits"].astype(np.float64)
    except (OSError, KeyError, ValueError, zipfile.BadZipFile):
        return None
    if decision == "tuned":
        offsets = [run.metrics.get(f"decision_offset_{k}", 0.0) for k in range(logits.shape[1])]
    else:
        offsets = [0.0]
    y_pred = (logits + np.asarray(offsets)).argmax(axis=1)
    return Predictions(y_true.astype(np.int64), softmax(logits, axis=1), y_pred)


def _read_epochs(run: FinishedRun) -> dict[str, list[float]] | None:
    folder = local_folder(run.artifacts)
    if folder is None:
        return None
    try:
        with (folder / record.HISTORY).open(encoding="utf-8", newline="") as stream:
            header, *rows = csv.reader(stream)
            return {
                name: [float(row[place]) for row in rows if row[place]]
                for place, name in enumerate(header)
            }
    except (OSError, ValueError, IndexError):
        return None
