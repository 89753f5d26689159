"""Stratified train, validation and test splits in which no class goes missing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from src.data.dataset import LEAST_CLASSES, Labels
from src.data.errors import DataError, shortened
from src.data.splitting.groups import Room, place_groups

Rows = NDArray[np.int64]

ALIKE = (
    "different rows of class {} for {} splits, since rows with the same features stay in one; set "
    "data.duplicates=keep to split them all the same."
)
"""The end of the error for a class that is missing because rows that are alike stay together."""
DRAWS = 20
"""Divisions of groups that are tried before a class is called missing."""


def stratified_split(
    y: Labels,
    class_names: tuple[str, ...],
    source: str,
    seed: int,
    groups: NDArray[np.int64] | None = None,
    *,
    whole: str = ALIKE,
    **fractions: float,
) -> list[Rows]:
    """Splits every class by itself: `round(n_k * fraction)` rows, at least one, are held out.

    scikit-learn's `train_test_split(stratify=...)` can leave a small class out of a split; here
    each class is in all of them.

    Args:
        y: class numbers, int64, shape (n,), values 0 to K-1.
        class_names: K names, for the error.
        source: where the rows came from, for the error.
        seed: which rows go where; the same seed gives the same split.
        groups: a number for each row, 0 to G-1, int64, shape (n,); rows with the same number stay
            in one split. None: every row by itself.
        whole: the end of the error for a class with too few groups, as `ALIKE` is.
        fractions: share of each split that is held out, between 0 and 1: `val_fraction` and, if
            the test rows are to come from `y` too, `test_fraction`.

    Returns:
        Row numbers of the training split and of each split held out, int64, in random order;
        together they hold every row once.

    Raises:
        DataError: where the fractions are wrong, there are fewer than two classes, a class has
            fewer rows than there are splits, or the groups leave a split without a class.
    """
    if sum(fractions.values()) >= 1:
        given = " and ".join(f"data.{key}={fraction}" for key, fraction in fractions.items())
        raise DataError(f"{given} leave no row to train on; their sum must be below 1.")
    check_class_counts(y, class_names, len(fractions) + 1, source)
    shares = list(fractions.values())
    rooms = [_room(n, shares) for n in np.bincount(y, minlength=len(class_names)).tolist()]
    groups = np.arange(len(y)) if groups is None else groups
    rows, absent = draw_rows(y, groups, rooms, np.random.default_rng(seed))
    if absent.size:
        named = shortened(class_names[k] for k in absent)
        raise DataError(f"{source}: too few {whole.format(named, len(rows))}")
    return rows


def draw_rows(
    y: Labels, groups: NDArray[np.int64], rooms: list[Room], rng: np.random.Generator
) -> tuple[list[Rows], NDArray[np.int64]]:
    """Draws rows of splits, several times if need be, until each split has every class.

    Args:
        y: class numbers, int64, shape (n,), values 0 to K-1.
        groups: a number for each row, 0 to G-1, int64, shape (n,).
        rooms: about how many rows of each class each split is to have.
        rng: draws which group goes where.

    Returns:
        Row numbers of each split, int64, in random order, which hold every row once; and the
        classes that are missing in a split.
    """
    pairs = np.unique(groups * len(rooms) + y)
    hopeless = np.bincount(pairs % len(rooms), minlength=len(rooms)) < len(rooms[0])
    for _ in range(1 if hopeless.any() else DRAWS):
        parts = place_groups(y, groups, rooms, rng)
        rows = [rng.permutation(_rows_of(part, groups)) for part in parts]
        counts = [np.bincount(y[part], minlength=len(rooms)) for part in rows]
        absent = np.flatnonzero(np.min(counts, axis=0) == 0)
        if not absent.size:
            break
    return rows, absent


def _room(total: int, shares: list[float]) -> list[int]:
    """Rows of a class for training and for each split held out."""
    held_out = [max(1, round(total * share)) for share in shares]
    while sum(held_out) >= total:
        held_out[int(np.argmax(held_out))] -= 1
    return [total - sum(held_out), *held_out]


def _rows_of(chosen: Rows, groups: NDArray[np.int64]) -> Rows:
    """The rows of some groups, in the order of the groups."""
    rank = np.full(groups.max() + 1, -1)
    rank[chosen] = np.arange(len(chosen))
    ranks = rank[groups]
    rows = np.flatnonzero(ranks >= 0)
    return rows[np.argsort(ranks[rows], kind="stable")]


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
