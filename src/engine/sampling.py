"""Samples the training split, and no other, by imbalanced-learn before a model is trained on it.

Samplers see the features that a model sees: standardised, one-hot where they were text. SMOTE and
SMOTENC measure distances, so columns have to be on one scale; for those that copy or leave out rows
it makes no difference. SMOTENC takes a column of categories as one column of codes, so one-hot
columns are put together for it and taken apart again. An image is sampled as the row of its pixels.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from src.data.dataset import Dataset, decoded
from src.data.errors import DataError, shortened
from src.data.tabular.columns import TablePreprocessing
from src.engine.build import build, without_name
from src.errors import UserError

Rows = NDArray[np.floating]
CATEGORIES = "categorical_features"
MOST_NUMBERS = 500_000_000
"""In a training split with the rows that are made: 2 GB."""
SMOTE = "imblearn.over_sampling.SMOTE"
"""For numbers; SMOTENC is for numbers and categories, SMOTEN for categories alone."""


def sampled(dataset: Dataset, config: Mapping[str, Any]) -> Dataset:
    """The data set with the training split that a model is trained on.

    Args:
        dataset: as it was loaded; its validation and test splits stay as they are.
        config: resolved; its ``sampling`` has ``_target_``, a sampler with imbalanced-learn's
            ``fit_resample``, or ``batches: balanced``, or, as in records of earlier versions,
            neither. The seed is that of its ``training``.

    Returns:
        The data set itself where nothing is sampled.

    Raises:
        UserError: where the sampler cannot be used on the data.
    """
    sampling = config.get("sampling", {})
    node = without_name(sampling)
    if node.get("batches") == "balanced":
        return replace(dataset, balanced_batches=True)
    if not node:
        return dataset
    codes = CategoryCodes.of(dataset if CATEGORIES in node else None)
    sampler = build(_for_columns(node, codes), "sampling", {CATEGORIES: codes.columns})
    if not (hasattr(sampler, "fit_resample") and hasattr(sampler, "get_params")):
        raise UserError(
            f"sampling._target_={node.get('_target_')}: must be a sampler, with fit_resample and "
            "get_params as those of imbalanced-learn have, such as imblearn.over_sampling.SMOTE"
        )
    if "random_state" in sampler.get_params():
        sampler.set_params(random_state=config["training"]["seed"])
    said = f"sampling={sampling['name']}"
    _check(sampler.get_params(), dataset, said, mixes=CATEGORIES not in node)
    _check_size(sampler, dataset, said)
    rows = decoded(dataset.x_train).reshape(len(dataset.x_train), -1)
    try:
        with threadpool_limits(1):  # of neighbours at one distance, threads decide who comes first
            x, y = sampler.fit_resample(codes.encode(rows), dataset.y_train)
    except ValueError as error:
        raise UserError(f"{said} on {dataset.name}: {error}") from error
    return replace(dataset, x_train=codes.decode(x).reshape(-1, *dataset.input_shape), y_train=y)


def _for_columns(node: dict[str, Any], codes: "CategoryCodes") -> dict[str, Any]:
    """The node; of SMOTE, the form that suits the columns (Chawla et al. 2002, section 6)."""
    if node["_target_"] != SMOTE or CATEGORIES not in node:
        return node
    if codes.columns and codes.numbers:
        return node | {"_target_": f"{SMOTE}NC"}
    rest = {key: value for key, value in node.items() if key != CATEGORIES}
    return rest | {"_target_": f"{SMOTE}N"} if codes.columns else rest


@dataclass(frozen=True)
class CategoryCodes:
    """Puts the one-hot columns of each category together as one column of codes, and back.

    Attributes:
        numbers: leading columns that are numbers.
        flags: columns behind them, each of two values: where a number was missing.
        sizes: how many one-hot columns each category has, in their order; they come last.
    """

    numbers: int = 0
    flags: int = 0
    sizes: tuple[int, ...] = ()

    @classmethod
    def of(cls, dataset: Dataset | None) -> "CategoryCodes":
        """The columns of a table; none of categories in anything else."""
        table = dataset.preprocessing if dataset else None
        if not isinstance(table, TablePreprocessing):
            return cls()
        return cls(len(table.numeric), len(table.flagged), tuple(map(len, table.categories)))

    @property
    def columns(self) -> list[int]:
        """Which columns are categories once they are codes."""
        return list(range(self.numbers, self.numbers + self.flags + len(self.sizes)))

    def encode(self, rows: Rows) -> Rows:
        """Rows with codes, shape (n, columns)."""
        first, *blocks = np.split(rows, self._bounds, axis=1) if self.sizes else [rows]
        return np.column_stack([first, *(block.argmax(axis=1) for block in blocks)])

    def decode(self, rows: Rows) -> Rows:
        """Rows with one-hot columns again."""
        codes = rows[:, rows.shape[1] - len(self.sizes) :].astype(np.int64).T
        one_hot = [np.eye(size)[code] for size, code in zip(self.sizes, codes, strict=True)]
        return np.column_stack([rows[:, : rows.shape[1] - len(self.sizes)], *one_hot])

    @property
    def _bounds(self) -> NDArray[np.int64]:
        """The first column of each one-hot block."""
        return self.numbers + self.flags + np.cumsum([0, *self.sizes[:-1]])


def _check(params: Mapping[str, Any], dataset: Dataset, said: str, *, mixes: bool) -> None:
    """Refuses parameters that imbalanced-learn would refuse in its own words, or not at all.

    SAID is the choice, for messages; a sampler MIXES where one-hot columns are numbers to it.
    """
    _check_ratio(params.get("sampling_strategy"), dataset)
    table = dataset.preprocessing
    texts = table.categorical if isinstance(table, TablePreprocessing) else ()
    if CATEGORIES in params and not params[CATEGORIES]:
        raise DataError(
            f"{said}: {dataset.name} has no column of categories; right is sampling=smote"
        )
    if CATEGORIES in params and params[CATEGORIES][0] == 0:
        raise DataError(
            f"{said}: {dataset.name} has no column of numbers to draw between; right "
            "is sampling=smote, or sampling=random_over"
        )
    if params.get("k_neighbors") is None:
        return
    if mixes and texts:
        raise DataError(
            f"{said}: would make rows between categories of {shortened(texts)}; right is "
            "sampling=smote, which takes a category of the neighbours there"
        )
    _check_neighbors(params["k_neighbors"], params["sampling_strategy"], dataset, said)


def _check_size(sampler: Any, dataset: Dataset, said: str) -> None:
    """Refuses to make more rows than memory should hold, before the first is made."""
    from imblearn.over_sampling.base import BaseOverSampler  # it takes a second to import

    rows = max(dataset.class_counts) * dataset.num_classes
    columns = dataset.x_train[0].size
    if isinstance(sampler, BaseOverSampler) and rows * columns > MOST_NUMBERS:
        raise DataError(
            f"{said}: would make up to {rows:,} rows of {columns} columns of {dataset.name}, more "
            f"than {MOST_NUMBERS:,} numbers; right is sampling=balanced_batches, which makes none"
        )


def _check_ratio(ratio: Any, dataset: Dataset) -> None:
    """Refuses a ratio for more than two classes, and one that the classes have already."""
    if not isinstance(ratio, int | float):
        return
    given, counts = f"sampling.sampling_strategy={ratio}", dataset.class_counts
    if len(counts) > 2:
        raise DataError(
            f"{given}: a ratio is for two classes, {dataset.name} has {len(counts)}; right is auto"
        )
    today = min(counts) / max(counts)
    if ratio <= today:
        raise DataError(
            f"{given}: {dataset.name} has {min(counts)} training rows of one class and "
            f"{max(counts)} of the other, a ratio of {today:.3g} already; right is a larger one, "
            "at most 1, or auto"
        )


def _check_neighbors(neighbors: Any, strategy: Any, dataset: Dataset, said: str) -> None:
    """Refuses classes that are too small for so many neighbours."""
    from imblearn.utils import check_sampling_strategy  # it takes a second to import

    wanted = check_sampling_strategy(strategy, dataset.y_train, "over-sampling")
    enlarged = [(dataset.class_counts[k], k) for k, more in wanted.items() if more > 0]
    rows, smallest = min(enlarged, default=(0, 0))
    if not enlarged or not isinstance(neighbors, int) or rows > neighbors:
        return
    works = f"sampling.k_neighbors={rows - 1} or " if rows > 1 else ""
    raise DataError(
        f"{said}, sampling.k_neighbors={neighbors}: class {dataset.class_names[smallest]!r} of "
        f"{dataset.name} has {rows} training row{'s' if rows > 1 else ''}, and needs "
        f"{neighbors + 1}, itself and its neighbours; right is {works}sampling=random_over"
    )
