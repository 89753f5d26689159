"""How rows are split, by the keys under `data`, and by columns for each row."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from src.data.errors import DataError
from src.errors import override

NEEDS = {
    "given": "data.test_path=FILE or data.split_column=COLUMN",
    "group": "data.group=COLUMN",
    "time": "data.time=COLUMN",
}
"""Keys that a split of these kinds needs."""


@dataclass(frozen=True, kw_only=True)
class Splitting:
    """How rows are split: the values of the keys of the same names under `data`.

    Attributes:
        split: `random`, `given`, `group`, `time`, `kfold`, or `auto`: by the other keys.
        group: name or index of the column whose equal values stay in one split.
        time: name or index of the column that rows are ordered by.
        split_column: name or index of the column of `train`, `val` and `test`.
        test_path: a further file, all of it the test.
        val_path: a further file, all of it validation.
        folds: of `kfold`.
        origins: of `time`.
        val_fraction: share for validation; of a given split, of the rows that are not the test.
        test_fraction: share for the test, where neither files, a column nor folds give it.
    """

    split: str = "auto"
    group: str | int | None = None
    time: str | int | None = None
    split_column: str | int | None = None
    test_path: str | None = None
    val_path: str | None = None
    folds: int = 5
    origins: int = 4
    val_fraction: float = 0.2
    test_fraction: float = 0.2

    def __post_init__(self) -> None:
        _ = self.kind  # keys that contradict each other are refused at once

    @classmethod
    def taken_from(cls, keys: dict[str, Any]) -> Splitting:
        """Takes the keys of the split out of those of a source."""
        return cls(**{one.name: keys.pop(one.name) for one in fields(cls) if one.name in keys})

    @property
    def columns(self) -> dict[str, str | int]:
        """The columns that are for the split and no features, by their key."""
        return self._given("group", "time", "split_column")

    @property
    def files(self) -> dict[str, str]:
        """The further files, by their key."""
        return self._given("val_path", "test_path")

    def _given(self, *keys: str) -> dict[str, Any]:
        return {key: getattr(self, key) for key in keys if getattr(self, key) is not None}

    @property
    def kind(self) -> str:
        """`random`, `given`, `group`, `time` or `kfold`.

        Raises:
            DataError: where two keys say different things.
        """
        given = self._given("split_column", "test_path", "val_path")
        words = " and ".join(override(f"data.{key}", value) for key, value in given.items())
        if given and self.split not in ("auto", "given"):
            raise DataError(
                f"{words} cannot stand with {override('data.split', self.split)}; leave one of the "
                "two out."
            )
        if "split_column" in given and len(given) > 1:
            raise DataError(f"{words} say twice what the splits are; leave one of them out.")
        if [*given] == ["val_path"]:
            raise DataError(f"{words} gives validation rows alone; data.test_path=FILE is missing.")
        if self.split != "auto":
            return self.split
        if given:
            return "given"
        if self.group is not None and self.time is not None:
            raise DataError(
                f"{override('data.group', self.group)} and {override('data.time', self.time)} are "
                "two ways to split; say which by data.split=group or data.split=time."
            )
        return "group" if self.group is not None else "time" if self.time is not None else "random"

    @property
    def estimand(self) -> str:
        """What seeds differ in, as of a `Dataset`."""
        return {"given": "trainings", "time": "periods"}.get(self.kind, "table")


@dataclass(frozen=True)
class RowMarks:
    """Columns about the split, an entry per row; None where there is no such column.

    Attributes:
        group: number of the group, int64, shape (n,).
        group_names: of the groups, by their numbers.
        time: numbers, or microseconds since 1970, float64 or int64, shape (n,).
        part: 0 to train on, 1 for validation, 2 for the test, int64, shape (n,).
        row: number of the row in its file, from 1, int64, shape (n,).
    """

    group: NDArray[np.int64] | None = None
    group_names: tuple[str, ...] = ()
    time: NDArray[Any] | None = None
    part: NDArray[np.int64] | None = None
    row: NDArray[np.int64] | None = None

    def of_rows(self, rows: NDArray[Any]) -> RowMarks:
        """The same of some rows, by their numbers or by a mask."""
        columns = {name: getattr(self, name) for name in ("group", "time", "part", "row")}
        kept = {name: column[rows] for name, column in columns.items() if column is not None}
        return replace(self, **kept)
