"""The rows of the three splits, by every kind of split."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedKFold

from src.data.dataset import SPLITS, Labels
from src.data.errors import DataError, shortened
from src.data.splitting.periods import cut_by_time, cuts_of_origin
from src.data.splitting.plan import NEEDS, RowMarks, Splitting
from src.data.splitting.split import ALIKE, Rows, draw_rows, stratified_split
from src.errors import override

Groups = NDArray[np.int64]


@dataclass(frozen=True)
class LabelledRows:
    """Rows that can be split.

    Attributes:
        y: class numbers, int64, shape (n,), values 0 to K-1.
        class_names: K names, for errors.
        source: where the rows came from, for errors.
        marks: what the columns of the split say of each row.
        alike: the same number where rows have the same features, 0 to G-1, int64, shape (n,); such
            rows stay in one split where there is no column of groups and the kind of split leaves a
            choice. None: every row is split by itself.
    """

    y: Labels
    class_names: tuple[str, ...]
    source: str
    marks: RowMarks = field(default_factory=RowMarks)
    alike: Groups | None = None

    def split(self, number: int, how: Splitting) -> list[Rows]:
        """The rows to train on, for validation and for the test.

        Args:
            number: of the split; the same number gives the same split.
            how: the kind of split and its sizes.

        Returns:
            Three arrays of row numbers, int64; together they hold every row once, except that a
            split by time leaves out rows later than its test.

        Raises:
            DataError: where the column that a kind needs is missing, or a class would be.
        """
        kind, marks = how.kind, self.marks
        mark = {"given": marks.part, "group": marks.group, "time": marks.time}.get(kind, self.y)
        if mark is None:
            raise DataError(f"{self.source}: {override('data.split', kind)} needs {NEEDS[kind]}.")
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
            self.alike if kind == "random" else marks.group,
            whole=ALIKE if kind == "random" else _of_groups(how),
            val_fraction=how.val_fraction,
            test_fraction=how.test_fraction,
        )

    def trained_rows(self, how: Splitting) -> int:
        """About how many rows a split trains on, by the sizes asked for; the same for all."""
        share = 1 - (how.val_fraction + how.test_fraction)
        if how.kind == "given":
            train, val, test = np.bincount(np.asarray(self.marks.part), minlength=len(SPLITS))
            share = train / (train + val + test) * (1 if val else 1 - how.val_fraction)
        elif how.kind == "kfold":
            share = 1 - (how.val_fraction + 1 / how.folds)
        elif how.kind == "time":
            share = sum(cuts_of_origin(how, k)[1] for k in range(how.origins)) / how.origins
        return round(len(self.y) * share)

    def _by_fold(self, number: int, how: Splitting) -> list[Rows]:
        """Fold `number` mod folds of repetition `number` div folds is the test."""
        repetition, fold = divmod(number, how.folds)
        left = 1 - 1 / how.folds
        if how.val_fraction >= left:
            raise DataError(
                f"data.val_fraction={how.val_fraction}: with a fold of {how.folds} as the test no "
                f"row is left to train on; it must be below {left:.3g}."
            )
        groups = self._kept_whole()
        if groups is None:
            self._check_folds(np.bincount(self.y, minlength=len(self.class_names)), "rows", how)
            folding = StratifiedKFold(how.folds, shuffle=True, random_state=repetition)
            test = [test for _, test in folding.split(self.y, self.y)][fold]
        else:
            test = self._folds_of_groups(groups, how, repetition)[fold]
        rest = np.setdiff1d(np.arange(len(self.y)), test)
        return [*self._split_rest(number, rest, how.val_fraction / left, how), test]

    def _folds_of_groups(self, groups: Groups, how: Splitting, repetition: int) -> list[Rows]:
        """Folds of whole groups, with as equal shares of each class as groups allow."""
        counts = np.bincount(self.y, minlength=len(self.class_names))
        # The folds that get one row more are those after the ones that did for the class before.
        folds_of_rows = np.split(np.arange(len(self.y)) % how.folds, np.cumsum(counts)[:-1])
        rooms = [np.bincount(folds, minlength=how.folds).tolist() for folds in folds_of_rows]
        folds, absent = draw_rows(self.y, groups, rooms, np.random.default_rng(repetition))
        if absent.size:
            of_class = [len(np.unique(groups[self.y == k])) for k in range(len(counts))]
            what = "different rows" if self.marks.group is None else "groups"
            self._check_folds(np.array(of_class), what, how)
        return folds

    def _check_folds(self, counts: NDArray[np.int64], what: str, how: Splitting) -> None:
        small = np.flatnonzero(counts < how.folds)
        if small.size:
            named = ", ".join(f"{self.class_names[k]!r} ({counts[k]} {what})" for k in small[:10])
            raise DataError(
                f"{self.source}: {override('data.folds', how.folds)} needs as many {what} of each "
                f"class, one for each fold; too few has class {named}. Set fewer data.folds, or "
                "data.split=random."
            )

    def _as_given(self, number: int, how: Splitting) -> list[Rows]:
        """The splits of the column or the files; validation is drawn where they give none."""
        train, val, test = (np.flatnonzero(self.marks.part == part) for part in range(len(SPLITS)))
        parts = {"train": train, "val": val, "test": test}
        given = {name: rows for name, rows in parts.items() if len(rows) or name != "val"}
        self._check(given, "given as {}", "move some there, or leave the class out of the others")
        if len(val):
            return [train, val, test]
        if self.marks.time is None:
            return [*self._split_rest(number, train, how.val_fraction, how), test]
        shares = [0.0, 1 - how.val_fraction, 1.0]
        cut = cut_by_time(self.marks.time[train], shares, self.source, _of_time(how))
        parts = {"train": train[cut[0]], "val": train[cut[1]]}
        self._check(parts, f"that {_of_time(how)} makes {{}}", "set data.val_fraction higher")
        return [*parts.values(), test]

    def _by_time(self, number: int, how: Splitting) -> list[Rows]:
        """Origin `number` mod origins, counted back from the latest; all of them are checked."""
        time, column, found = np.asarray(self.marks.time), _of_time(how), []
        for origin in range(how.origins):
            parts = cut_by_time(time, cuts_of_origin(how, origin), self.source, column)
            self._check(
                dict(zip(SPLITS, parts, strict=True)),
                f"that {column} makes {{}} at origin {origin + 1} of {how.origins} from the end",
                "set fewer data.origins, or a larger data.test_fraction or data.val_fraction",
            )
            found.append(parts)
        return found[number % how.origins]

    def _check(self, parts: dict[str, Rows], which: str, hint: str) -> None:
        """Refuses a split without rows of one of the classes."""
        for name, rows in parts.items():
            counts = np.bincount(self.y[rows], minlength=len(self.class_names))
            absent = shortened(self.class_names[k] for k in np.flatnonzero(counts == 0))
            if absent:
                raise DataError(
                    f"{self.source}: none of the {len(rows)} rows {which.format(name)} is of "
                    f"class {absent}; every class needs one in each split: {hint}."
                )

    def _kept_whole(self) -> Groups | None:
        """Groups of rows that stay in one split; None where each would be a single row."""
        if self.marks.group is not None:
            return self.marks.group
        several = self.alike is not None and self.alike.max() + 1 < len(self.y)
        return self.alike if several else None

    def _split_rest(self, number: int, rest: Rows, share: float, how: Splitting) -> list[Rows]:
        """Splits the rows that are not the test into training and validation."""
        groups = self._kept_whole()
        numbers = None if groups is None else np.unique(groups[rest], return_inverse=True)[1]
        parts = stratified_split(
            self.y[rest],
            self.class_names,
            self.source,
            number,
            numbers,
            whole=ALIKE if self.marks.group is None else _of_groups(how),
            val_fraction=share,
        )
        return [rest[part] for part in parts]


def _of_groups(how: Splitting) -> str:
    """The end of the error for a class with too few groups, as `ALIKE` is for rows."""
    column = override("data.group", how.group)
    return f"groups of {column} with class {{}} for {{}} splits, since a group stays in one."


def _of_time(how: Splitting) -> str:
    return override("data.time", how.time)
