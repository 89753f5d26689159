"""What made data sets share: one large class, equal small ones, standardised columns."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.preprocessing import StandardScaler

from src.data.dataset import LEAST_CLASSES, Dataset, Labels
from src.data.errors import DataError
from src.data.splitting.plan import Splitting
from src.data.splitting.rows import LabelledRows

ROUNDING = 1e-9
"""Largest difference from 1 of a sum of equal shares."""


def majority_share(n_classes: int, minority_fraction: float) -> float:
    """The share that K-1 minority classes of equal size leave for class 0.

    Raises:
        DataError: where class 0 would be smaller than another.
    """
    if minority_fraction * n_classes > 1 + ROUNDING:
        raise DataError(
            f"data.minority_fraction={minority_fraction} for each of {n_classes - 1} minority "
            f"classes leaves too little for the majority; it must be at most {1 / n_classes:.3g}."
        )
    return 1 - minority_fraction * (n_classes - 1)


def made_dataset(
    x: NDArray[np.float64],
    y: Labels,
    *,
    n_classes: int,
    feature_names: tuple[str, ...],
    name: str,
    source: str,
    seed: int,
    how: Splitting,
) -> Dataset:
    """Splits rows of numbers and standardises them by the training split, and by no other.

    Features `x` are float64 of shape (n, d), class numbers `y` int64 of shape (n,); class 0 is the
    majority. The fitted `StandardScaler` is the `preprocessing` of the data set.

    Raises:
        DataError: where the rows cannot be split.
    """
    minority = [f"minority_{k}" for k in range(1, n_classes)]
    class_names = ("majority", *(minority if n_classes > LEAST_CLASSES else ["minority"]))
    rows = LabelledRows(y, class_names, source).split(seed, how)
    scaler = StandardScaler().fit(x[rows[0]])
    return Dataset.of_rows(
        scaler.transform(x),
        y,
        rows,
        class_names=class_names,
        feature_names=feature_names,
        name=name,
        source=source,
        preprocessing=scaler,
        estimand="samples",
    )
