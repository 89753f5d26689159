"""Rows of a table with the same features: a model trained on one knows the label of the other.

Source: Barz and Denzler 2020, "Do we train on test data? Purging CIFAR of near-duplicates".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from src.data.dataset import Labels

DUPLICATES = {
    "group": "rows with the same features stay in one split (data.duplicates=group)",
    "drop": "of rows that are the same, label included, the first stays (data.duplicates=drop)",
    "keep": "they are split like all others, so test rows can be known from training "
    "(data.duplicates=keep)",
}
"""What becomes of such rows, by the value of `data.duplicates`."""
ROWS_AT_ONCE = 65536
"""Rows hashed at a time, so that the table is not copied as a whole."""


@dataclass(frozen=True)
class DuplicateCounts:
    """How many rows of a source are alike.

    Attributes:
        duplicate_rows: rows that have the features of an earlier row.
        conflicting_rows: rows whose features also come with another label.
    """

    duplicate_rows: int
    conflicting_rows: int


def number_rows(features: pd.DataFrame) -> NDArray[np.int64]:
    """Numbers rows by their features, from 0 in the order of the rows, by a 64-bit hash of each.

    Args:
        features: n rows as `clean_columns` returns them; missing cells equal each other.

    Returns:
        int64, shape (n,), the same number where all features are the same.
    """
    starts = range(0, len(features), ROWS_AT_ONCE)
    hashes = [_hashes(features.iloc[start : start + ROWS_AT_ONCE]) for start in starts]
    return pd.factorize(np.concatenate(hashes))[0].astype(np.int64)


def _hashes(features: pd.DataFrame) -> NDArray[np.uint64]:
    numbers = features.select_dtypes("number").columns
    positive: dict[Any, pd.Series] = {name: features[name] + 0.0 for name in numbers}  # no -0.0
    return pd.util.hash_pandas_object(features.assign(**positive), index=False).to_numpy()


def count_duplicates(
    numbers: NDArray[np.int64], y: Labels, part: NDArray[np.int64] | None = None
) -> tuple[DuplicateCounts, NDArray[np.bool_]]:
    """Counts rows that are alike.

    Args:
        numbers: of rows, as `number_rows` gives them, shape (n,).
        y: class numbers, int64, shape (n,).
        part: the number of the split that each row is given for, shape (n,), where one is; rows of
            a later split count as earlier, so that the test keeps its own.

    Returns:
        The counts, and whether an earlier row is the same, its label too, bool, shape (n,).
    """
    order = np.arange(len(y)) if part is None else np.argsort(-part, kind="stable")
    repeated = np.empty(len(y), bool)
    repeated[order] = pd.DataFrame({"row": numbers[order], "label": y[order]}).duplicated()
    labels = np.bincount(numbers[~repeated])
    conflicting = np.count_nonzero(labels[numbers] > 1)
    return DuplicateCounts(len(numbers) - len(labels), int(conflicting)), repeated
