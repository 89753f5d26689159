"""Epochs and predictions of runs, read from their artifacts where these are on this disk."""

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import zip_longest
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from src.analysis.runs import FinishedRun
from src.analysis.statistics.losses import LossSummary
from src.evaluation.scores import OFFSETS
from src.runs.recorded import record

MOST_SEEDS = 30
"""Seeds of a loss that are drawn; the numbers are always over all."""


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
    """The epochs and predictions of one loss over its seeds, at the decision of the report."""

    summary: LossSummary
    decision: str

    @property
    def _drawn(self) -> Sequence[FinishedRun]:
        return self.summary.runs[:MOST_SEEDS]

    @cached_property
    def predictions(self) -> list[Predictions]:
        """One a run, without the runs that have none."""
        found = (read_predictions(run, self.decision) for run in self._drawn)
        return [one for one in found if one is not None]

    def by_epoch(self, metric: str) -> NDArray[np.float64]:
        """A column of ``history.csv``, shape (runs, epochs), NaN where a run stopped early.

        Returns:
            Shape (0,) where no run has it.
        """
        columns = [[row[metric] for row in history if metric in row] for history in self._histories]
        epochs = zip_longest(*filter(None, columns), fillvalue=np.nan)
        return np.array(list(epochs), np.float64).T

    @property
    def best_epoch(self) -> int | None:
        """The median over the seeds that are drawn, at the decision."""
        name = "best_epoch" if self.decision == "argmax" else f"best_epoch_{self.decision}"
        known = [run.metrics[name] for run in self._drawn if name in run.metrics]
        return round(float(np.median(known))) if known else None

    @cached_property
    def _histories(self) -> list[list[dict[str, float]]]:
        return [_read_history(run) for run in self._drawn]


def local_folder(address: str) -> Path | None:
    """The folder behind a path or URI of artifacts; None where it is not on this disk."""
    parts = urlsplit(address)
    if parts.scheme == "file":
        return Path(url2pathname(parts.path))
    return None if parts.scheme or not address else Path(address)


def read_predictions(run: FinishedRun, decision: str) -> Predictions | None:
    """The predictions of a run on the test split; None where they cannot be read.

    Every decision but argmax adds the offsets that the run recorded.
    """
    own = f"{decision}_test_logits"  # where the decision has an epoch of its own
    arrays = _arrays(run, "y_test", "test_logits", own)
    if not {"y_test", "test_logits"} <= arrays.keys():
        return None
    logits = arrays.get(own, arrays["test_logits"]).astype(np.float64)
    offsets = np.zeros(logits.shape[1])
    if decision in OFFSETS:
        offsets += [run.metrics.get(f"{OFFSETS[decision]}{k}", 0.0) for k in range(len(offsets))]
    y_pred = (logits + offsets).argmax(axis=1)
    return Predictions(arrays["y_test"].astype(np.int64), softmax(logits, axis=1), y_pred)


def rows_by_class(run: FinishedRun) -> list[tuple[str, tuple[int, ...]]]:
    """Names of the classes with their rows in each split, the rarest in training first.

    The rows are those of training, validation and test; of training alone where the predictions are
    not on this disk. Empty where no data set was logged.
    """
    if not run.class_counts:
        return []
    splits = [run.class_counts]
    for y in _arrays(run, "y_val", "y_test").values():
        splits.append(tuple(np.bincount(y, minlength=len(run.class_counts)).tolist()))
    names = run.class_names or tuple(map(str, range(len(run.class_counts))))
    rows = zip(names, zip(*splits, strict=True), strict=True)
    return sorted(rows, key=lambda row: row[1][0])


def _arrays(run: FinishedRun, *names: str) -> dict[str, NDArray[Any]]:
    """The arrays with these names among the predictions of a run; none where there is no file."""
    folder = local_folder(run.artifacts)
    if folder is None:
        return {}
    try:
        with np.load(folder / record.PREDICTIONS, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in names if name in arrays.files}
    except (OSError, ValueError, zipfile.BadZipFile):
        return {}


def _read_history(run: FinishedRun) -> list[dict[str, float]]:
    """One row per epoch; none where they cannot be read."""
    folder = local_folder(run.artifacts)
    try:
        return record.read_history(folder / record.HISTORY) if folder else []
    except (OSError, ValueError):
        return []
