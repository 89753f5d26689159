"""Pictures with their classes, read once, and split and thinned out as often as there are seeds."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from src.data.dataset import SPLITS, Dataset, Labels
from src.data.duplicates import DUPLICATES, count_duplicates
from src.data.errors import DataError, shortened
from src.data.images.preprocessing import ImagePreprocessing
from src.data.imbalance import imbalance
from src.data.rows_on_disk import RowsOnDisk
from src.data.splitting.leaks import warn_of_both_sides
from src.data.splitting.plan import RowMarks, Splitting
from src.data.splitting.rows import LabelledRows
from src.data.splitting.split import Rows
from src.data.tabular.limits import usable_memory
from src.errors import override

TEST = SPLITS.index("test")
GIVEN = "given"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Profile:
    """Which pictures are left out; the keys of the same names under `data` say it.

    Attributes:
        profile: `step`, `longtail` or `none`.
        imbalance_ratio: pictures of the largest class over those of the rarest, at least 1.
        rare_classes: names or numbers of the rare classes; for `longtail` the end of the tail.
        imbalance_test: whether the test split gets the profile too.
    """

    profile: str = "none"
    imbalance_ratio: float = 100.0
    rare_classes: Sequence[int | str] = ()
    imbalance_test: bool = False


@dataclass(frozen=True, kw_only=True)
class Pictures:
    """All pictures of a source, ready to be split.

    Attributes:
        images: uint8, shape (m, H, W, C), in memory or memory-mapped.
        rows: of each picture in `images`, int64, shape (n,).
        y: class numbers, int64, shape (n,).
        class_names: K names.
        files: a name of each picture for people, such as its path; empty where it has none.
        marks: the split of each picture where the source has splits, and its group.
        numbers: equal for pictures whose pixels are equal, int64, shape (n,).
        duplicates: `group`, `drop` or `keep` pictures with the same pixels.
        name: of the data set.
        source: where it came from, for errors and records.
        preprocessing: how files of pictures are read; None where there are none.
        said: kinds of splits, and groups, whose leaks were told.
    """

    images: NDArray[np.uint8]
    rows: Rows
    y: Labels
    class_names: tuple[str, ...]
    files: tuple[str, ...]
    marks: RowMarks
    numbers: NDArray[np.int64]
    duplicates: str
    name: str
    source: str
    preprocessing: ImagePreprocessing | None
    said: set[tuple[str, str | int | None]] = field(default_factory=set)

    def split(self, seed: int, how: Splitting, profile: Profile, *, memory_share: float) -> Dataset:
        """Splits the pictures, and thins the splits to a profile of imbalance.

        Splits that take more than `memory_share` of the memory stay on disk.

        Raises:
            DataError: where a class is too small to be in every split.
        """
        chosen = imbalance(
            profile.profile, profile.imbalance_ratio, profile.rare_classes, self.class_names
        )
        counts, repeated = count_duplicates(self.numbers, self.y, self.marks.part)
        used = np.flatnonzero(~repeated) if self.duplicates == "drop" else np.arange(len(self.y))
        alike = np.unique(self.numbers[used], return_inverse=True)[1]
        rows = LabelledRows(
            self.y[used],
            self.class_names,
            self.source,
            self.marks.of_rows(used),
            None if self.duplicates == "keep" else alike,
        )
        train, val, test = (used[part] for part in rows.split(seed, how))
        if (how.kind, how.group) not in self.said:
            self.said.add((how.kind, how.group))  # of copies tell_duplicates speaks, with names
            warn_of_both_sides(
                [train, val, test], self.marks, np.arange(len(self.y)), how, self.source
            )
        train, val = chosen.thin_training(self.y, train, seed), chosen.thin(self.y, val, seed)
        if profile.imbalance_test:
            test = chosen.thin(self.y, test, seed)
        share = rows.trained_rows(how) / len(used)
        planned = chosen.targets(np.rint(np.bincount(rows.y) * share).astype(np.int64)).sum()
        parts = dict(zip(SPLITS, (train, val, test), strict=True))
        size = sum(map(len, parts.values())) * self.images[:1].nbytes
        on_disk = size > memory_share * usable_memory()
        arrays: dict[str, Any] = {f"y_{split}": self.y[part] for split, part in parts.items()}
        for split, part in parts.items():
            places = self.rows[part]
            kept = RowsOnDisk(self.images, places) if on_disk else self.images[places]
            arrays[f"x_{split}"] = kept
        return Dataset(
            **arrays,
            class_names=self.class_names,
            name=self.name,
            source=self.source,
            preprocessing=self.preprocessing,
            estimand=how.estimand,
            split=how.kind,
            planned_rows=int(planned) if how.kind != "random" or counts.duplicate_rows else None,
            duplicates=counts,
            on_disk=on_disk,
            test_ids=tuple(self.files[row] for row in test) if self.files else None,
        )

    def grouped(self, pattern: str) -> Pictures:
        """The same with groups, each named by the match of a regular expression's brackets.

        Raises:
            DataError: names the files in which nothing is found.
        """
        found = [re.search(pattern, name) for name in self.files]
        lost = [name for name, match in zip(self.files, found, strict=True) if match is None]
        if lost:
            raise DataError(
                f"{override('data.group', pattern)} finds nothing in {len(lost):,} of "
                f"{len(found):,} paths of {self.source}: {shortened(lost, 3)}."
            )
        names = [match[1] or "" for match in found if match]
        codes, known = pd.factorize(np.array(names, object))
        marks = replace(self.marks, group=codes.astype(np.int64), group_names=tuple(known))
        return replace(self, marks=marks)

    def tell_duplicates(self) -> None:
        """Logs how many pictures are equal, and how many test pictures are in another split."""
        counts, _ = count_duplicates(self.numbers, self.y, self.marks.part)
        if counts.duplicate_rows:
            logger.info(
                "%s: %d of %d pictures have the pixels of an earlier one, %d have pixels that come "
                "with several classes; %s",
                *(self.source, counts.duplicate_rows, len(self.y), counts.conflicting_rows),
                DUPLICATES[self.duplicates]
                .replace("rows", "pictures")
                .replace("features", "pixels"),
            )
        if self.marks.part is None:
            return
        test = self.marks.part == TEST
        known = test & np.isin(self.numbers, self.numbers[~test])
        if known.any():
            names = [self.files[row] for row in np.flatnonzero(known)] if self.files else []
            logger.warning(
                "%s: %d of %d test pictures are in train or val, too, so their classes can be "
                "known from training%s%s",
                *(self.source, known.sum(), test.sum(), ": " if names else "", shortened(names, 3)),
            )


def with_given_splits(how: Splitting, part: NDArray[np.int64] | None, source: str) -> Splitting:
    """The kind of split where `auto` is `given` if the source has splits; `part` is None if not.

    Raises:
        DataError: where the splits of a source that has none are asked for.
    """
    if part is not None:
        return replace(how, split=GIVEN) if how.split == "auto" else how
    if how.kind == GIVEN:
        raise DataError(
            f"{override('data.split', GIVEN)}: {source} is not split; right are train/ and test/ "
            "above the folders of classes, or the arrays x_train, y_train, x_test and y_test."
        )
    return how


def number_pictures(images: Iterable[NDArray[np.uint8]]) -> NDArray[np.int64]:
    """Numbers pictures by their pixels, from 0: int64, shape (n,), by a 64-bit hash of each."""
    hashes = np.array([hash_pixels(image) for image in images], np.uint64)
    return np.unique(hashes, return_inverse=True)[1].astype(np.int64)


def hash_pixels(image: NDArray[np.uint8]) -> int:
    """64 bits over the pixels of one picture."""
    digest = hashlib.blake2b(np.ascontiguousarray(image).data, digest_size=8).digest()
    return int.from_bytes(digest, "little")
