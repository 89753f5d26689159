"""Schemas of the data sources: one field for each parameter of the loading function."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from msgspec import Meta
from omegaconf import MISSING

from src.config.legal import Check
from src.config.ranges import (
    AtLeastOne,
    Count,
    Fraction,
    NonNegativeInt,
    Positive,
    Seed,
    UnitInterval,
    filled,
    one_of,
)
from src.errors import override

Profile = Annotated[str, one_of("none", "step", "longtail")]
AtLeastTwo = Annotated[int, Meta(ge=2, le=10_000)]
Folds = Annotated[int, Meta(ge=2, le=1000)]
Rows = Annotated[int, Meta(ge=1, le=100_000_000)]


def _check_label(value: Any) -> None:
    if not isinstance(value, str | int) or isinstance(value, bool) or value == "":
        text = f"[{', '.join(map(str, value))}]" if isinstance(value, list) else ""
        name = f"; a name in brackets is {override('data.label', text)}" if text else ""
        raise ValueError(f"must be a column's name or its index (-1 is the last){name}")


def _check_column(value: Any) -> None:
    if value is not None:
        _check_label(value)


def _check_thousands(value: Any) -> None:
    if value is not None and (not isinstance(value, str) or len(value) != 1 or value.isalnum()):
        raise ValueError("must be one character, such as a point")


def _check_words(value: Any) -> None:
    for words in value.values() if isinstance(value, Mapping) else [value or []]:
        if not isinstance(words, list) or not all(isinstance(w, str | int | float) for w in words):
            raise ValueError(
                "must be a list of words, as in 'data.na_values=[unknown]', or such lists by "
                "column, as in 'data.na_values={age: [unknown]}'"
            )


Column = Annotated[Any, Check(_check_column)]
"""Its name, its index, or none."""


@dataclass
class DataConfig:
    """What every source takes."""

    name: str = MISSING
    _target_: str = MISSING
    seed: Seed = "${seed}"  # type: ignore[assignment]
    seeds_per_split: Count = 1
    val_fraction: Fraction = 0.2


@dataclass
class FreshRowsConfig(DataConfig):
    """What sources of fresh rows take."""

    split: Annotated[
        str, one_of("auto", "random", why="each seed draws fresh rows of this source")
    ] = "auto"


@dataclass
class SplitConfig:
    """How rows are split that are the same for every seed."""

    split: Annotated[str, one_of("auto", "random", "kfold")] = "auto"
    folds: Folds = 5


@dataclass
class ColumnSplitConfig(SplitConfig):
    """The same for rows with columns that can say it; ``auto`` is what the other keys say."""

    split: Annotated[str, one_of("auto", "random", "given", "group", "time", "kfold")] = "auto"
    group: Column = None
    time: Column = None
    split_column: Column = None
    origins: Folds = 4


@dataclass
class TableSplitConfig(ColumnSplitConfig):
    """The same where further files can hold the test."""

    test_path: str | None = None
    val_path: str | None = None


@dataclass
class SimulatedConfig(FreshRowsConfig):
    """See :mod:`src.data.simulated` for the geometry."""

    test_fraction: Fraction = 0.2
    n_samples: Rows = 6000
    n_features: Count = 10
    n_noise: NonNegativeInt = 5
    n_classes: AtLeastTwo = 2
    minority_fraction: Fraction = 0.05
    hard_fraction: Fraction = 0.10
    easy_distance: Positive = 8.0
    hard_spread: Positive = 2.0
    object_distance: Positive = 6.0


@dataclass
class ClassificationConfig(FreshRowsConfig):
    """Parameters of scikit-learn's ``make_classification``, and which problem it draws."""

    problem: Seed = 0
    test_fraction: Fraction = 0.2
    n_samples: Rows = 6000
    n_features: Count = 20
    n_informative: Count = 10
    n_redundant: NonNegativeInt = 4
    n_classes: AtLeastTwo = 2
    n_clusters_per_class: Count = 2
    minority_fraction: Fraction = 0.05
    class_sep: Positive = 1.0
    flip_y: UnitInterval = 0.01


@dataclass
class DigitsConfig(SplitConfig, DataConfig):
    """Digits, made imbalanced."""

    seeds_per_split: Count = 2
    test_fraction: Fraction = 0.2
    profile: Profile = "step"
    imbalance_ratio: AtLeastOne = 10.0
    rare_classes: list[Any] = field(default_factory=lambda: [7, 8, 9])
    imbalance_test: bool = False


@dataclass
class RowsConfig(ColumnSplitConfig, DataConfig):
    """How the rows of a table are cleaned and split, wherever they come from."""

    seeds_per_split: Count = 2
    test_fraction: Fraction = 0.2
    missing: Annotated[str, one_of("impute", "refuse")] = "impute"
    drop: list[Any] = field(default_factory=list)
    max_categories: Count = 50
    drop_rare_classes: bool = False
    min_class_count: Annotated[int, Meta(ge=3)] = 3
    duplicates: Annotated[str, one_of("group", "drop", "keep")] = "group"


@dataclass
class TableConfig(TableSplitConfig, RowsConfig):
    """A file of one's own."""

    path: Annotated[str, filled("name a file: CSV, TSV, Parquet or NPZ")] = MISSING
    label: Annotated[Any, Check(_check_label)] = -1
    header: bool = True
    delimiter: str | None = None
    encoding: str | None = None
    decimal: Annotated[str, one_of(".", ",")] | None = None
    thousands: Annotated[str | None, Check(_check_thousands)] = None
    na_values: Annotated[Any, Check(_check_words)] = None
    keep_default_na: bool = True


@dataclass
class KeelConfig(RowsConfig):
    """A set of the KEEL collection."""

    name: Annotated[str, filled("name a set: python -m src.fetch keel --list shows them")] = MISSING
    dataset: str = MISSING
    root: str | None = None


@dataclass
class OpenMLConfig(RowsConfig):
    """A set of OpenML."""

    name: str | None = None  # type: ignore[assignment]
    dataset: str | None = None
    version: Count | None = None
    id: Count | None = None
    label: str | None = None
    root: str | None = None
    max_categories: Count = 200
