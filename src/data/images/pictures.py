"""Pictures with their classes, read once, and split and thinned out as often as there are seeds."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from src.data.dataset import Dataset, Labels
from src.data.duplicates import DUPLICATES, count_duplicates
from src.data.images.preprocessing import ImagePreprocessing
from src.data.imbalance import imbalance
from src.data.rows_on_disk import RowsOnDisk
from src.data.split import Rows, stratified_split
from src.data.tabular.limits import usable_memory

TRAIN, VAL, TEST = range(3)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Profile:
    """Which pictures are left out; the keys of the same names under `data` say it."""

    profile: str
    imbalance_ratio: float
    rare_classes: Sequence[int | str]
    imbalance_test: bool


@dataclass(frozen=True, kw_only=True)
class Pictures:
    """All pictures of a source, ready to be split.

    Attributes:
        images: uint8, shape (m, H, W, C), in memory or memory-mapped.
        rows: of each picture in `images`, int64, shape (n,).
        y: class numbers, int64, shape (n,).
        class_names: K names.
        files: what names each picture for people; empty where they have no names.
        part: number of each picture's split where the source has splits, int64, shape (n,).
        numbers: the same for pictures whose pixels are the same, int64, shape (n,).
        duplicates: what becomes of these: `group`, `drop` or `keep`.
        name: of the data set.
        source: where it came from, for errors and records.
        preprocessing: how files of pictures are read; None where there are none.
    """

    images: NDArray[np.uint8]
    rows: Rows
    y: Labels
    class_names: tuple[str, ...]
    files: tuple[str, ...]
    part: NDArray[np.int64] | None
    numbers: NDArray[np.int64]
    duplicates: str
    name: str
    source: str
    preprocessing: ImagePreprocessing | None

    def split(
        self,
        seed: int,
        *,
        profile: Profile,
        memory_share: float,
        given: bool,
        val_fraction: float,
        test_fraction: float,
    ) -> Dataset:
        """Splits the pictures, and leaves out what a profile of imbalance leaves out.

        Args:
            seed: which pictures go where, and which are left out.
            profile: of the imbalance that is made.
            memory_share: of the memory; pictures that take more stay on disk.
            given: whether the source's own splits are taken.
            val_fraction: share for validation, where it is not given.
            test_fraction: share for the test, where it is not given.

        Raises:
            DataError: where a class is too small to be in every split.
        """
        chosen = imbalance(
            profile.profile, profile.imbalance_ratio, profile.rare_classes, self.class_names
        )
        counts, repeated = count_duplicates(self.numbers, self.y)
        rows = np.flatnonzero(~repeated) if self.duplicates == "drop" else np.arange(len(self.y))
        train, val, test = (
            self._given(rows, seed, val_fraction)
            if given
            else self._drawn(rows, seed, val_fraction=val_fraction, test_fraction=test_fraction)
        )
        train, val = chosen.thin_training(self.y, train, seed), chosen.thin(self.y, val, seed)
        if profile.imbalance_test:
            test = chosen.thin(self.y, test, seed)
        used = len(train) + len(val) + len(test)
        on_disk = used * self.images[:1].nbytes > memory_share * usable_memory()
        chosen_rows = [self.rows[part] for part in (train, val, test)]
        x: list[Any] = [
            RowsOnDisk(self.images, part) if on_disk else self.images[part] for part in chosen_rows
        ]
        return Dataset(
            x_train=x[TRAIN],
            y_train=self.y[train],
            x_val=x[VAL],
            y_val=self.y[val],
            x_test=x[TEST],
            y_test=self.y[test],
            class_names=self.class_names,
            name=self.name,
            source=self.source,
            preprocessing=self.preprocessing,
            duplicates=counts,
            on_disk=on_disk,
            test_ids=tuple(self.files[row] for row in test) if self.files else None,
        )

    def _drawn(self, rows: Rows, seed: int, **fractions: float) -> list[Rows]:
        groups = None
        if self.duplicates != "keep":
            groups = np.unique(self.numbers[rows], return_inverse=True)[1]
        parts = stratified_split(
            self.y[rows], self.class_names, self.source, seed, groups, **fractions
        )
        return [rows[part] for part in parts]

    def _given(self, rows: Rows, seed: int, val_fraction: float) -> list[Rows]:
        """The source's own splits; where it has no validation, the training pictures give it."""
        assert self.part is not None
        train, val, test = (rows[self.part[rows] == number] for number in (TRAIN, VAL, TEST))
        if not len(val):
            train, val = self._drawn(train, seed, val_fraction=val_fraction)
        return [train, val, test]

    def tell_duplicates(self) -> None:
        """Says how many pictures are the same, and how many of a given test split are known."""
        counts, _ = count_duplicates(self.numbers, self.y)
        if counts.duplicate_rows:
            logger.info(
                "%s: %d of %d pictures have the pixels of an earlier one, %d have pixels that come "
                "with several classes; %s",
                *(self.source, counts.duplicate_rows, len(self.y), counts.conflicting_rows),
                DUPLICATES[self.duplicates]
                .replace("rows", "pictures")
                .replace("features", "pixels"),
            )
        if self.part is None:
            return
        known = np.isin(self.numbers[self.part == TEST], self.numbers[self.part != TEST])
        if known.any():
            logger.warning(
                "%s: %d of %d test pictures are in train or val, too, so their classes can be "
                "known from training",
                *(self.source, known.sum(), len(known)),
            )
