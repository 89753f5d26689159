"""Standardised features: mean and standard deviation of the training split, and of no other."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.preprocessing import StandardScaler

from src.data.dataset import Dataset, Features, Labels
from src.data.split import three_way


class Standardiser:
    """z = (x - mean) / std by column, in float64; a constant column becomes 0.

    Wraps scikit-learn's `StandardScaler` and returns float32.
    """

    def __init__(self, x_train: NDArray[Any]) -> None:
        self.scaler = StandardScaler().fit(np.asarray(x_train, dtype=np.float64))

    def transform(self, rows: NDArray[Any]) -> Features:
        """Rows (n, d) on the original scale in, the same rows standardised, float32, out."""
        return self.scaler.transform(np.asarray(rows, dtype=np.float64)).astype(np.float32)


def standardised_dataset(
    x: NDArray[np.float64],
    y: Labels,
    *,
    class_names: tuple[str, ...],
    feature_names: tuple[str, ...],
    name: str,
    source: str,
    val_fraction: float,
    test_fraction: float,
    seed: int,
) -> Dataset:
    """Splits rows of numbers and standardises them by the training split.

    Args:
        x: features, float64, shape (n, d).
        y: class numbers, int64, shape (n,).
        class_names: K names.
        feature_names: d names.
        name: what the data set is called.
        source: where it came from.
        val_fraction: share for validation.
        test_fraction: share for the test.
        seed: of the split.

    Returns:
        The data set, its fitted `Standardiser` in `preprocessing`.

    Raises:
        DataError: where the rows cannot be split.
    """
    split = three_way(
        y,
        class_names,
        val_fraction=val_fraction,
        test_fraction=test_fraction,
        seed=seed,
        source=source,
    )
    scale = Standardiser(x[split.train])
    return Dataset(
        x_train=scale.transform(x[split.train]),
        y_train=y[split.train],
        x_val=scale.transform(x[split.val]),
        y_val=y[split.val],
        x_test=scale.transform(x[split.test]),
        y_test=y[split.test],
        class_names=class_names,
        feature_names=feature_names,
        name=name,
        source=source,
        preprocessing=scale,
    )
