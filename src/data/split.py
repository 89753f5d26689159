"""Stratified train, validation and test splits in which no class goes missing."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from src.data.dataset import LEAST_CLASSES, Labels
from src.data.errors import DataError, shortened
from src.data.parameters import check_fraction, check_seed

Rows = NDArray[np.int64]


class Split(NamedTuple):
    """Row numbers of the three splits, int64, each in random order; together every row, once."""

    train: Rows
    val: Rows
    test: Rows


def three_way(
    y: Labels,
    class_names: tuple[str, ...],
    *,
    val_fraction: float,
    test_fraction: float,
    seed: int,
    source: str,
) -> Split:
    """Splits every class by itself: `round(n_k * fraction)` rows, at least one, to val and test.

    scikit-learn's `train_test_split(stratify=...)` can leave a small class out of a split; here
    each class is in all three.

    Args:
        y: class numbers, int64, shape (n,), values 0 to K-1.
        class_names: K names, for the error.
        val_fraction: share for validation, between 0 and 1.
        test_fraction: share for the test, between 0 and 1.
        seed: which rows go where; the same seed gives the same split.
        source: where the rows came from, for the error.

    Returns:
        The row numbers of the three splits.

    Raises:
        DataError: where the fractions are wrong, there are fewer than two classes, or a class
            has fewer than three rows.
    """
    check_fraction("data.val_fraction", val_fraction)
    check_fraction("data.test_fraction", test_fraction)
    if val_fraction + test_fraction >= 1:
        raise DataError(
            f"data.val_fraction={val_fraction} and data.test_fraction={test_fraction} leave no "
            "row to train on; their sum must be below 1."
        )
    return Split(*_per_class(y, class_names, (val_fraction, test_fraction), seed, source))


def two_way(
    y: Labels, class_names: tuple[str, ...], *, val_fraction: float, seed: int, source: str
) -> tuple[Rows, Rows]:
    """Row numbers of train and validation, as `three_way` gives those of three splits."""
    check_fraction("data.val_fraction", val_fraction)
    train, val = _per_class(y, class_names, (val_fraction,), seed, source)
    return train, val


def stratified_subset(y: Labels, size: int, num_classes: int, seed: int) -> Rows:
    """A random part of the rows with the classes in their proportion.

    Args:
        y: class numbers, int64, shape (n,).
        size: rows wanted; each class gives `floor(n_k * size / n)` of its own, at least two.
        num_classes: K.
        seed: which rows.

    Returns:
        Row numbers in ascending order; all of them where `size` is n or more.
    """
    if size >= len(y):
        return np.arange(len(y))
    rng = np.random.default_rng(seed)
    chosen = []
    for k in range(num_classes):
        rows = rng.permutation(np.flatnonzero(y == k))
        chosen.append(rows[: max(2, len(rows) * size // len(y))])
    return np.sort(np.concatenate(chosen))


def check_class_counts(
    y: Labels, class_names: tuple[str, ...], least: int, source: str, hint: str = ""
) -> None:
    """Refuses labels in which a class has fewer than `least` rows, or which have only one class.

    Raises:
        DataError: names the small classes with their counts, and ends in `hint`.
    """
    counts = np.bincount(y, minlength=len(class_names))
    if len(class_names) < LEAST_CLASSES:
        raise DataError(
            f"{source}: only one class, {shortened(class_names)}, in {len(y)} rows; a "
            "classification problem needs at least two."
        )
    small = [f"{class_names[k]!r} ({counts[k]})" for k in np.flatnonzero(counts < least)]
    if small:
        shown = ", ".join(small[:10]) + (f" and {len(small) - 10} more" if len(small) > 10 else "")
        raise DataError(
            f"{source}: too few rows of class {shown}; a class needs at least {least} rows, one "
            f"for each split.{hint}"
        )


def _per_class(
    y: Labels, class_names: tuple[str, ...], fractions: tuple[float, ...], seed: int, source: str
) -> list[Rows]:
    """Row numbers: first what is left for training, then one part for each fraction."""
    check_seed(seed)
    check_class_counts(y, class_names, len(fractions) + 1, source)
    rng = np.random.default_rng(seed)
    parts: list[list[Rows]] = [[] for _ in range(len(fractions) + 1)]
    by_class = np.split(np.argsort(y, kind="stable"), np.cumsum(np.bincount(y))[:-1])
    for members in by_class:
        rows = rng.permutation(members)
        sizes = _sizes(len(rows), fractions)
        for part, chunk in zip(parts, np.split(rows, np.cumsum(sizes)[:-1]), strict=True):
            part.append(chunk)
    return [rng.permutation(np.concatenate(part)) for part in parts]


def _sizes(n: int, fractions: tuple[float, ...]) -> list[int]:
    """Rows of one class for training and for each fraction, none of them zero."""
    held_out = [max(1, round(n * fraction)) for fraction in fractions]
    while sum(held_out) >= n:
        held_out[int(np.argmax(held_out))] -= 1
    return [n - sum(held_out), *held_out]
