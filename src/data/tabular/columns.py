"""Feature columns of a table: numbers are standardised, text becomes one-hot.

What is learnt (medians, means, standard deviations, categories) is learnt from the training rows by
scikit-learn. It is kept as plain numbers and text, so that it can be saved as JSON and used where
neither scikit-learn nor a pickle is wanted: training, prediction and serving all go through
:meth:`TablePreprocessing.transform`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from src.data.dataset import Features
from src.data.errors import CellError, DataError, shortened
from src.data.tabular.cells import MISSING_CATEGORY, block_of_numbers, texts_of
from src.data.tabular.layout import TableLayout


@dataclass(frozen=True, eq=False)
class TablePreprocessing:
    """Turns rows of a table into rows of features, as learnt from the training rows.

    Attributes:
        source: the file that it was fitted on, for errors.
        numeric: names of the columns that are standardised.
        categorical: names of the columns that become one column a category.
        missing: `impute` or `refuse`.
        medians: of the numeric columns, float64; they stand in for missing values.
        flagged: positions in `numeric` of the columns that get a further column, 1 where missing.
        means: of the numeric columns and then of the flags, float64.
        scales: what they are divided by, alike.
        categories: of each categorical column, in the order of their features.
        layout: the columns of the file, used or not.
    """

    source: str
    numeric: tuple[str, ...]
    categorical: tuple[str, ...]
    missing: str
    medians: NDArray[np.float64]
    flagged: tuple[int, ...]
    means: NDArray[np.float64]
    scales: NDArray[np.float64]
    categories: tuple[tuple[str, ...], ...]
    layout: TableLayout | None = None

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the columns that come out."""
        flags = [f"{self.numeric[i]} missing" for i in self.flagged]
        one_hot = [
            f"{name}={category}"
            for name, found in zip(self.categorical, self.categories, strict=True)
            for category in found
        ]
        return (*self.numeric, *flags, *one_hot)

    def transform(self, rows: pd.DataFrame) -> Features:
        """Features of the rows of a table that has the columns fitted on, in any order.

        A category that the training rows did not have is 0 in every column of its feature.

        Args:
            rows: the table, n rows; other columns are ignored.

        Returns:
            float32, shape (n, len(feature_names)).

        Raises:
            DataError: where a column is missing.
            CellError: for the first value that cannot be used, by row and column.
        """
        self.check_columns(rows.columns)
        scaled = len(self.numeric) + len(self.flagged)
        features = np.zeros((len(rows), scaled + sum(map(len, self.categories))), np.float32)
        if self.numeric:
            numbers = np.empty((len(rows), scaled))
            numbers[:, : len(self.numeric)] = block_of_numbers(rows, self.numeric)
            self._standardise(numbers)
            with np.errstate(over="ignore"):  # whoever uses them refuses what became infinite
                features[:, :scaled] = numbers
        first = scaled
        for name, known in zip(self.categorical, self.categories, strict=True):
            codes, values = texts_of(rows[name], name)
            self._refuse_missing(codes < 0, name)
            features[:, first : first + len(known)] = _one_hot(codes, values, known)
            first += len(known)
        return features

    def check_columns(self, names: Any) -> None:
        """Refuses a table without one of the columns.

        Args:
            names: of the table's columns.

        Raises:
            DataError: names those that are missing.
        """
        wanted = [*self.numeric, *self.categorical]
        here = set(names)
        absent = [name for name in wanted if name not in here]
        if absent:
            raise DataError(
                f"columns {shortened(absent)} are missing; the model was trained on columns "
                f"{shortened(wanted)} of {self.source}."
            )

    def _standardise(self, numbers: NDArray[np.float64]) -> None:
        """Fills gaps and flags and standardises, in place.

        Args:
            numbers: shape (n, numeric + flags); the flags are yet to be filled in.
        """
        values = numbers[:, : len(self.numeric)]
        gaps = np.isnan(values)
        if gaps.any():
            for i in np.flatnonzero(gaps.any(axis=0)):
                self._refuse_missing(gaps[:, i], self.numeric[i])
            values[gaps] = np.broadcast_to(self.medians, gaps.shape)[gaps]
        numbers[:, len(self.numeric) :] = gaps[:, list(self.flagged)]
        numbers -= self.means
        numbers /= self.scales

    def _refuse_missing(self, gaps: NDArray[np.bool_], name: str) -> None:
        if self.missing == "refuse" and gaps.any():
            row = int(gaps.argmax())
            raise CellError(row, name, "is missing, which data.missing=refuse does not allow")

    def state(self) -> dict[str, Any]:
        """All of it as what JSON can hold; floats keep every bit."""
        return {
            "source": self.source,
            "numeric": list(self.numeric),
            "categorical": list(self.categorical),
            "missing": self.missing,
            "medians": self.medians.tolist(),
            "flagged": list(self.flagged),
            "means": self.means.tolist(),
            "scales": self.scales.tolist(),
            "categories": [list(known) for known in self.categories],
            "layout": self.layout.state() if self.layout else None,
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> TablePreprocessing:
        """Makes it again from what `state` gave; `TypeError`, `KeyError` or `ValueError` if not."""
        arrays = {key: np.array(state[key], np.float64) for key in ("medians", "means", "scales")}
        numeric, flagged = tuple(state["numeric"]), tuple(state["flagged"])
        sizes = {len(numeric) + len(flagged)}
        if {len(arrays["means"]), len(arrays["scales"])} != sizes or len(arrays["medians"]) != len(
            numeric
        ):
            raise ValueError("medians, means and scales do not fit the columns")
        layout = state["layout"]
        return cls(
            source=str(state["source"]),
            numeric=numeric,
            categorical=tuple(state["categorical"]),
            missing=str(state["missing"]),
            flagged=flagged,
            categories=tuple(tuple(known) for known in state["categories"]),
            layout=TableLayout.from_state(layout) if layout else None,
            **arrays,
        )


def fit_columns(
    train: pd.DataFrame, *, missing: str, source: str, layout: TableLayout | None = None
) -> TablePreprocessing:
    """Learns medians, means, standard deviations and categories from the training rows.

    Numbers: missing ones become the column's median, and a column that had some gets a further
    column, 1 where it was missing, before standardising; z = (x - mean) / std; a constant column
    becomes 0 and stays. Categories: one column each, 1 or 0; missing is a category of its own.

    Args:
        train: training rows as `clean_columns` returns them.
        missing: `impute` or `refuse`.
        source: the file, for errors.
        layout: the columns of the file, used or not.

    Returns:
        The fitted preprocessing.
    """
    from sklearn.impute import SimpleImputer
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    numeric = [name for name in train if pd.api.types.is_numeric_dtype(train[name])]
    categorical = [name for name in train if name not in numeric]
    medians, means, scales = np.empty(0), np.empty(0), np.empty(0)
    flagged: tuple[int, ...] = ()
    categories: tuple[tuple[str, ...], ...] = ()
    if numeric:
        imputer = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
        scaler = StandardScaler().fit(imputer.fit_transform(train[numeric].to_numpy(np.float64)))
        medians, means, scales = imputer.statistics_, scaler.mean_, scaler.scale_
        flagged = tuple(int(i) for i in imputer.indicator_.features_)
    if categorical:
        filled = train[categorical].astype(object).fillna(MISSING_CATEGORY)
        encoder = OneHotEncoder().fit(filled)
        categories = tuple(tuple(map(str, known)) for known in encoder.categories_)
    return TablePreprocessing(
        source,
        tuple(numeric),
        tuple(categorical),
        missing,
        medians,
        flagged,
        means,
        scales,
        categories,
        layout,
    )


def _one_hot(
    codes: NDArray[np.intp], values: list[str], known: tuple[str, ...]
) -> NDArray[np.float32]:
    """One row a code, 1 in the column of its category; all 0 where the category is not known."""
    place = {category: k for k, category in enumerate(known)}
    # a missing cell has code -1, which is the last
    column = np.array([place.get(value, -1) for value in (*values, MISSING_CATEGORY)])
    columns = column[codes]
    rows = np.zeros((len(codes), len(known)), np.float32)
    found = np.flatnonzero(columns >= 0)
    rows[found, columns[found]] = 1
    return rows
