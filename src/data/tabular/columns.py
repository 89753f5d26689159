"""Feature columns of a table: numbers are standardised, text becomes one-hot.

What is learnt (medians, means, standard deviations, categories) is learnt from the training rows by
scikit-learn. It is kept as plain numbers and text, so that it can be saved as JSON and used where
neither scikit-learn nor a pickle is wanted: training, prediction and serving all go through
:meth:`TablePreprocessing.transform`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from src.data.errors import CellError, DataError, shortened
from src.data.tabular.cells import MISSING_CATEGORY, numbers_of, texts_of
from src.data.tabular.number_format import NumberFormat
from src.data.tabular.text_format import TextFormat

ROWS_AT_ONCE = 8192
"""Rows standardised at a time, so that their copies stay in the processor's cache."""
TRUTH = {"true": "True", "TRUE": "True", "false": "False", "FALSE": "False"}
"""Texts that pandas reads as truth values where a whole column holds nothing else."""


@dataclass(frozen=True, kw_only=True)
class TableLayout(TextFormat):
    """All columns of the file trained on, used or not, and how the file is written.

    Attributes:
        columns: their names in order; `column_0`, `column_1`, ... where the file has none.
        label: the name of the one that holds the class.
        signs: per cent or a currency, by the names of the columns whose numbers have one.
    """

    columns: tuple[str, ...]
    label: str
    signs: dict[str, str] = field(default_factory=dict)

    def number_format(self, name: str) -> NumberFormat | None:
        """How a column's numbers are written; None for the way of programs."""
        sign = self.signs.get(name, "")
        if not sign and not self.as_text:
            return None
        return NumberFormat(self.decimal or ".", self.thousands, sign)


@dataclass(frozen=True)
class TablePreprocessing:
    """Turns rows of a table into rows of features, as learnt from the training rows.

    Attributes:
        source: the file that it was fitted on, for errors.
        numeric: names of the columns that are standardised.
        categorical: names of the columns that become one column per category.
        missing: `impute` or `refuse`.
        medians: of the numeric columns; they stand in for missing values.
        flagged: positions in `numeric` of the columns that get a further column, 1 where missing.
        means: of the numeric columns and then of the flags.
        scales: what these are divided by, in the same order.
        categories: of each categorical column, in the order of their features.
        layout: the columns of the file, used or not.
    """

    source: str
    numeric: tuple[str, ...]
    categorical: tuple[str, ...]
    missing: str
    medians: tuple[float, ...]
    flagged: tuple[int, ...]
    means: tuple[float, ...]
    scales: tuple[float, ...]
    categories: tuple[tuple[str, ...], ...]
    layout: TableLayout | None = None

    def __post_init__(self) -> None:
        scaled = len(self.numeric) + len(self.flagged)
        sizes = (len(self.medians), len(self.means), len(self.scales), len(self.categories))
        if sizes != (len(self.numeric), scaled, scaled, len(self.categorical)):
            raise ValueError("medians, means, scales and categories do not fit the columns")

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

    def transform(self, rows: pd.DataFrame) -> NDArray[np.float32]:
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
            found = [numbers_of(rows[name], name, self.written(name)) for name in self.numeric]
            for start in range(0, len(rows), ROWS_AT_ONCE):
                numbers = np.column_stack([cells[start : start + ROWS_AT_ONCE] for cells in found])
                with np.errstate(over="ignore"):  # data sets and models refuse infinite features
                    standardised = self._standardised(numbers, start)
                    features[start : start + ROWS_AT_ONCE, :scaled] = standardised
        first = scaled
        for name, known in zip(self.categorical, self.categories, strict=True):
            codes, values = texts_of(rows[name], name)
            self._refuse_missing(codes < 0, name)
            features[:, first : first + len(known)] = _one_hot(codes, values, known)
            first += len(known)
        return features

    def written(self, name: str) -> NumberFormat | None:
        """How a column's numbers are written where they are text; None where text is no number."""
        return self.layout.number_format(name) if self.layout else None

    def check_columns(self, names: Collection[str]) -> None:
        """Raises `DataError` where one of the columns is not among the names of a table's."""
        wanted = [*self.numeric, *self.categorical]
        here = {*names}
        absent = [name for name in wanted if name not in here]
        if absent:
            raise DataError(
                f"columns {shortened(absent)} are missing; the model was trained on columns "
                f"{shortened(wanted)} of {self.source}."
            )

    def _standardised(self, values: NDArray[np.float64], before: int) -> NDArray[np.float64]:
        """Numbers (n, numeric) that come after so many rows, filled, flagged, standardised."""
        gaps = np.isnan(values)
        for i in np.flatnonzero(gaps.any(axis=0)):
            self._refuse_missing(gaps[:, i], self.numeric[i], before)
        filled = np.where(gaps, self.medians, values) if gaps.any() else values
        numbers = np.hstack([filled, gaps[:, list(self.flagged)]])
        numbers -= self.means
        numbers /= self.scales
        return numbers

    def _refuse_missing(self, gaps: NDArray[np.bool_], name: str, before: int = 0) -> None:
        if self.missing == "refuse" and gaps.any():
            row = before + int(gaps.argmax())
            raise CellError(row, name, "is missing, which data.missing=refuse does not allow")


def _one_hot(
    codes: NDArray[np.intp], values: list[str], known: tuple[str, ...]
) -> NDArray[np.float32]:
    """One row per code, 1 in the column of its category; all 0 where the category is not known."""
    index = {category: k for k, category in enumerate(known)}
    for written, meant in TRUTH.items():
        index.setdefault(written, index.get(meant, -1))
    # a missing cell has code -1, which is the last
    column = np.array([index.get(value, -1) for value in (*values, MISSING_CATEGORY)])
    columns = column[codes]
    rows = np.zeros((len(codes), len(known)), np.float32)
    found = np.flatnonzero(columns >= 0)
    rows[found, columns[found]] = 1
    return rows
