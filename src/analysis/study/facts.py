"""Facts of a data set that are known before anything is trained on it; advice goes by them."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from src.analysis.runs import FinishedRun
from src.data.dataset import SPLITS, Dataset
from src.evaluation.overlap import class_overlap

FACTS = ("rows", "columns", "classes", "ratio", "rarest_rows", "overlap")


def describe(dataset: Dataset) -> dict[str, float]:
    """Size, imbalance and overlap, over all rows of its three splits.

    Args:
        dataset: with rows of features, standardised.

    Returns:
        ``rows``; ``columns``, those that a network gets; ``classes``; ``ratio``, rows of the
        largest class over rows of the rarest; ``rarest_rows``; ``overlap``, 0 to 1, see
        :func:`src.evaluation.overlap.class_overlap`.
    """
    x = np.concatenate([getattr(dataset, f"x_{split}") for split in SPLITS])
    y = np.concatenate([getattr(dataset, f"y_{split}") for split in SPLITS])
    counts = np.bincount(y)
    return {
        "rows": len(y),
        "columns": int(np.prod(dataset.input_shape)),
        "classes": dataset.num_classes,
        "ratio": float(counts.max() / counts.min()),
        "rarest_rows": int(counts.min()),
        "overlap": class_overlap(x.reshape(len(x), -1), y),
    }


def facts_of(runs: Sequence[FinishedRun]) -> dict[str, Any]:
    """Facts that the runs of one data set recorded; NaN for the others.

    Args:
        runs: of the same data set.
    """
    found: dict[str, Any] = dict.fromkeys(FACTS, float("nan"))
    for run in runs:
        if run.class_counts and run.rows_train and run.rows_val and run.rows_test:
            rows, rarest = run.rows_train + run.rows_val + run.rows_test, min(run.class_counts)
            return found | {
                "rows": rows,
                "classes": len(run.class_counts),
                "ratio": max(run.class_counts) / max(rarest, 1),
                "rarest_rows": round(rarest * rows / run.rows_train),
            }
    return found
