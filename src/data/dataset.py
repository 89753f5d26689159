"""The data set that every source returns: three splits, class names, and a fingerprint.

Example:
    >>> from src.data.simulated import simulated
    >>> data = simulated(seed=0)
    >>> data.x_train.shape, data.num_classes, data.fingerprint == simulated(seed=0).fingerprint
    ((3600, 10), 2, True)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from src.data.errors import DataError, shortened
from src.data.fingerprint import fingerprint_of
from src.data.rows_on_disk import RowsOnDisk

if TYPE_CHECKING:
    from src.data.duplicates import DuplicateCounts

Features = NDArray[np.float32]
Pixels = NDArray[np.uint8]
Labels = NDArray[np.int64]

SPLITS = ("train", "val", "test")
ESTIMANDS = ("table", "samples", "trainings", "periods")
SPLIT_KINDS = ("random", "given", "group", "time", "kfold")
LEAST_CLASSES = 2
LARGEST_PIXEL = np.float32(255)
IMAGE_DIMENSIONS = 4
"""Of an array of images: (n, H, W, C)."""


@dataclass(frozen=True)
class Dataset:
    """Train, validation and test splits of one classification problem, checked and read-only.

    Two data sets are equal where name, source, names and fingerprint are.

    Attributes:
        x_train: features, C-contiguous, float32 of shape (n, d) for vectors, or of (n, H, W, C)
            for images, which may be uint8 instead: pixels 0 to 255 that stand for 0 to 1 (see
            :func:`decoded`) in a quarter of the memory; `x_val` and `x_test` alike.
        y_train: class numbers, int64, shape (n,), values 0 to K-1; `y_val` and `y_test` alike.
        class_names: K names; position k names class k.
        name: what the data set is called in tables and reports.
        source: where the rows came from: a file, a folder or the function that made them.
        feature_names: d names of the columns of `x_*`, or None for images.
        preprocessing: what was fitted on the training rows and applied to all, if anything; its
            `transform` takes rows as they came.
        estimand: what seeds differ in, and so what a mean over them is about: `samples`, where each
            seed draws fresh rows; `table`, where all seeds split the same rows, which is the
            default, since it gives the wider interval; `trainings`, where the test rows are given
            and seeds vary training, and validation if that is not given; `periods`, where each
            split is an origin in time.
        split: how the rows were split, one of `SPLIT_KINDS`.
        planned_rows: about how many rows a split trains on, where splits differ in that; sizes that
            are `auto` go by it, so that they are the same for all splits.
        duplicates: how many rows are alike; None where they were not counted.
        family: data sets cut from the same rows share it; by default the name.
        licence: of the rows, as their source states it; None where it states none.
        on_disk: whether images are too large for their share of memory and stay in a file; `x_*`
            are then views of a memory-mapped file, or :class:`RowsOnDisk`.
        test_ids: the name of each test row for people, such as a picture's file; None where rows
            have no names.
        balanced_batches: whether each row of a training batch is of a class drawn at random, all
            classes alike.
        fingerprint: SHA-256, 64 hex digits, over bytes, shapes and dtypes of the six arrays and
            over the class names, and over nothing else.

    Raises:
        DataError: where the arrays do not fit together, hold NaN or infinite values, or where a
            class is missing from a split.
    """

    x_train: Features | Pixels = field(compare=False, repr=False)
    y_train: Labels = field(compare=False, repr=False)
    x_val: Features | Pixels = field(compare=False, repr=False)
    y_val: Labels = field(compare=False, repr=False)
    x_test: Features | Pixels = field(compare=False, repr=False)
    y_test: Labels = field(compare=False, repr=False)
    class_names: tuple[str, ...]
    name: str
    source: str
    feature_names: tuple[str, ...] | None = None
    preprocessing: Any = field(default=None, compare=False, repr=False)
    estimand: str = field(default="table", compare=False)
    split: str = field(default="random", compare=False)
    planned_rows: int | None = field(default=None, compare=False, repr=False)
    duplicates: DuplicateCounts | None = field(default=None, compare=False, repr=False)
    family: str = field(default="", compare=False, repr=False)
    licence: str | None = field(default=None, compare=False, repr=False)
    on_disk: bool = field(default=False, compare=False, repr=False)
    test_ids: tuple[str, ...] | None = field(default=None, compare=False, repr=False)
    balanced_batches: bool = field(default=False, compare=False)
    fingerprint: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "family", self.family or self.name)
        self._check_names()
        arrays: dict[str, Any] = {}
        for split in SPLITS:
            x, y = getattr(self, f"x_{split}"), getattr(self, f"y_{split}")
            self._check_split(split, x, y)
            with np.errstate(over="ignore"):  # Values beyond float32 are refused as infinite.
                x = _read_only(x, np.uint8 if _is_pixels(x) else np.float32)
            arrays |= {f"x_{split}": x, f"y_{split}": _read_only(y, np.int64)}
            if not _is_pixels(x) and not np.isfinite(x).all():
                raise DataError(
                    f"{self.source}: {split} split holds NaN or infinite features, or values "
                    "beyond the range of float32."
                )
        fingerprint = fingerprint_of(arrays, self.class_names)
        for name, value in (*arrays.items(), ("fingerprint", fingerprint)):
            object.__setattr__(self, name, value)

    @classmethod
    def of_rows(
        cls, x: NDArray[Any], y: Labels, rows: Sequence[NDArray[np.int64]], **rest: Any
    ) -> Self:
        """Three splits of the same arrays.

        Args:
            x: features, shape (n, ...).
            y: class numbers, shape (n,).
            rows: row numbers of train, validation and test.
            rest: names, source and what was fitted.
        """
        arrays: dict[str, Any] = {
            f"{part}_{split}": array[chosen]
            for split, chosen in zip(SPLITS, rows, strict=True)
            for part, array in (("x", x), ("y", y))
        }
        return cls(**arrays, **rest)

    @property
    def num_classes(self) -> int:
        """K, the number of classes."""
        return len(self.class_names)

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one row: (d,) or (H, W, C)."""
        return tuple(self.x_train.shape[1:])

    @property
    def rows(self) -> dict[str, int]:
        """Number of rows of `train`, `val` and `test`."""
        return {split: len(getattr(self, f"y_{split}")) for split in SPLITS}

    @property
    def class_counts(self) -> tuple[int, ...]:
        """Training rows of each class, in class order."""
        return tuple(int(n) for n in np.bincount(self.y_train, minlength=self.num_classes))

    @property
    def trained_counts(self) -> tuple[int, ...]:
        """Rows of each class that an epoch trains on; with balanced batches, those expected."""
        if self.balanced_batches:
            return (max(len(self.y_train) // self.num_classes, 1),) * self.num_classes
        return self.class_counts

    @property
    def rarest_class(self) -> int:
        """Number of the class with the fewest training rows; the first of equals."""
        return int(np.argmin(self.class_counts))

    def describe(self) -> str:
        """One line: name, split sizes, classes and the rarest one's share of the training rows."""
        sizes = "/".join(map(str, self.rows.values()))
        rarest = self.rarest_class
        share = 100 * self.class_counts[rarest] / len(self.y_train)
        shape = "x".join(str(n) for n in self.input_shape)
        return (
            f"{self.name}: {sizes} rows (train/val/test), input {shape}, {self.num_classes} "
            f"classes, rarest {self.class_names[rarest]!r} with {self.class_counts[rarest]} "
            f"training rows ({share:.1f} %)"
        )

    def _check_names(self) -> None:
        for key, known in (("estimand", ESTIMANDS), ("split", SPLIT_KINDS)):
            if (value := getattr(self, key)) not in known:
                right = ", ".join(known)
                raise DataError(f"{self.source}: {key}={value!r} must be one of {right}.")
        if len(self.class_names) < LEAST_CLASSES:
            raise DataError(
                f"{self.source}: a classification problem needs at least two classes, found "
                f"{shortened(self.class_names) or 'none'}."
            )
        if len(set(self.class_names)) != len(self.class_names):
            repeated = shortened(sorted(self.class_names))
            raise DataError(f"{self.source}: class names repeat: {repeated}.")

    def _check_split(self, split: str, x: Any, y: Any) -> None:
        where = f"{self.source}: {split} split"
        if x.shape[1:] != self.x_train.shape[1:] or x.ndim not in (2, 4) or 0 in x.shape:
            raise DataError(
                f"{where} has features of shape {x.shape}; right are (n, d) or (n, H, W, C), alike "
                "in every split, with at least one row and one feature."
            )
        if y.shape != (len(x),) or not np.issubdtype(y.dtype, np.integer):
            raise DataError(
                f"{where} has {len(x)} rows and labels of shape {y.shape}, dtype {y.dtype}; right "
                "is one whole number per row."
            )
        if y.min() < 0 or y.max() >= self.num_classes:
            raise DataError(f"{where} has labels outside 0 to {self.num_classes - 1}.")
        if split == "test" and self.test_ids is not None and len(self.test_ids) != len(x):
            raise DataError(f"{where} has {len(x)} rows and {len(self.test_ids)} names of rows.")
        names = self.feature_names
        if names is not None and x.shape[1:] != (len(names),):
            shape = x.shape[1:]
            raise DataError(f"{self.source}: {len(names)} feature names for features of {shape}.")
        absent = np.flatnonzero(np.bincount(y, minlength=self.num_classes) == 0)
        if absent.size:
            raise DataError(
                f"{where} has no row of {shortened(self.class_names[k] for k in absent)}; every "
                "class needs at least one row in each of the three splits."
            )


def decoded(x: NDArray[Any]) -> Features:
    """Features as a model takes them: pixels as float32, 0 to 1, all else as it is.

    Args:
        x: rows of a data set, shape (n, ...).
    """
    return np.asarray(x, np.float32) / LARGEST_PIXEL if _is_pixels(x) else x


def _is_pixels(x: NDArray[Any]) -> bool:
    return x.dtype == np.uint8 and x.ndim == IMAGE_DIMENSIONS


def _read_only(array: Any, dtype: type) -> Any:
    """The array in C order and the given dtype, as a view that cannot be written to."""
    if isinstance(array, RowsOnDisk):
        return array
    view: NDArray[Any] = np.ascontiguousarray(array, dtype=dtype).view()
    view.flags.writeable = False
    return view
