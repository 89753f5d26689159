"""The rows of the three splits, by every kind of split."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from src.data.dataset import Labels
from src.data.errors import DataError
from src.data.splitting.plan import NEEDS, RowMarks, Splitting
from src.data.splitting.split import Rows, stratified_split


def _nearest(places: NDArray[np.int64], wanted: float) -> int:
    """The place next to where a cut is wanted."""
    return int(places[np.argmin(np.abs(places - wanted))])


@dataclass(frozen=True)
class LabelledRows:
    """Rows that can be split.

    Attributes:
        y: class numbers, int64, shape (n,), values 0 to K-1.
        class_names: K names, for errors.
        source: where the rows came from, for errors.
        marks: what the columns of the split say of each row.
        alike: the same number where rows have the same features, 0 to G-1, int64, shape (n,); such
            rows stay in one split where the kind of split leaves a choice. None: no matter.
    """

    y: Labels
    class_names: tuple[str, ...]
    source: str
    marks: RowMarks = field(default_factory=RowMarks)
    alike: NDArray[np.int64] | None = None

    def split(self, number: int, how: Splitting) -> list[Rows]:
        """The rows to train on, for validation and for the test.

        Args:
            number: of the split; the same number gives the same split.
            how: the kind of split and its sizes.

        Returns:
            Three arrays of row numbers, int64; together every row, but for those later than the
            test of a split by time.

        Raises:
            DataError: where the marks that a kind needs are not there, or a class would be missing.
        """
        kind, marks = how.kind, self.marks
        mark = {"given": marks.part, "group": marks.group, "time": marks.time}.get(kind, self.y)
        if mark is None:
            raise DataError(f"{self.source}: data.split={kind} needs {NEEDS[kind]}.")
        if kind == "kfold":
            return self._by_fold(number, how)
        if kind == "given":
            return self._as_given(number, how)
        if kind == "time":
            return self._by_time(number, how)
        return stratified_split(
            self.y,
            self.class_names,
            self.source,
            number,
            marks.group if kind == "group" else self.alike,
            val_fraction=how.val_fraction,
            test_fraction=how.test_fraction,
        )

    @property
    def _kept_whole(self) -> NDArray[np.int64] | None:
        return self.alike if self.marks.group is None else self.marks.group

    def _by_fold(self, number: int, how: Splitting) -> list[Rows]:
        """Fold `number` mod folds of repetition `number` div folds is the test."""
        repetition, fold = divmod(number, how.folds)
        folding = StratifiedKFold if self._kept_whole is None else StratifiedGroupKFold
        folds = folding(how.folds, shuffle=True, random_state=repetition)
        _, test = list(folds.split(self.y, self.y, self._kept_whole))[fold]
        rest = np.setdiff1d(np.arange(len(self.y)), test)
        return [*self._split_rest(number, rest, how.val_fraction * len(self.y) / len(rest)), test]

    def _as_given(self, number: int, how: Splitting) -> list[Rows]:
        """The splits of the marks; validation is drawn where these say none."""
        train, val, test = (np.flatnonzero(self.marks.part == part) for part in range(3))
        if len(val):
            return [train, val, test]
        return [*self._split_rest(number, train, how.val_fraction), test]

    def _by_time(self, number: int, how: Splitting) -> list[Rows]:
        """Origin `number` mod origins, counted back from the latest; none parts equal times."""
        assert self.marks.time is not None
        order = np.argsort(self.marks.time, kind="stable")
        times, n = self.marks.time[order], len(order)
        changes = np.flatnonzero(np.diff(times)) + 1
        size, back = how.test_fraction * n, number % how.origins
        end = n - back * size
        begin = end - size
        middle = begin * (1 - how.val_fraction / (1 - how.test_fraction))
        cuts = [0, *(_nearest(changes, cut) for cut in (middle, begin)), round(end)]
        if back:
            cuts[-1] = _nearest(changes, end)
        return [order[first:last] for first, last in pairwise(cuts)]

    def _split_rest(self, number: int, rest: Rows, share: float) -> list[Rows]:
        """Rows that are not the test, to train on and for validation."""
        whole, groups = self._kept_whole, None
        if whole is not None:
            groups = np.unique(whole[rest], return_inverse=True)[1]
        y, names, source = self.y[rest], self.class_names, self.source
        parts = stratified_split(y, names, source, number, groups, val_fraction=share)
        return [rest[part] for part in parts]
