"""Feature columns of a table: numbers are standardised, text becomes one-hot.

What is learnt (medians, means, standard deviations, categories) is learnt from the training rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from src.data.column_checks import check_missing, clean_columns
from src.data.dataset import Features
from src.data.errors import DataError, shortened

MISSING_CATEGORY = "(missing)"


@dataclass(frozen=True, eq=False)
class TablePreprocessing:
    """Turns rows of a table into rows of features, as learnt from the training rows.

    Attributes:
        source: the file that it was fitted on, for errors.
        numeric: names of the columns that are standardised.
        categorical: names of the columns that become one column a category.
        missing: `impute` or `refuse`.
        columns: the fitted scikit-learn transformer.
        feature_names: names of the columns that come out.
    """

    source: str
    numeric: tuple[str, ...]
    categorical: tuple[str, ...]
    missing: str
    columns: ColumnTransformer
    feature_names: tuple[str, ...]

    def transform(self, rows: pd.DataFrame) -> Features:
        """Features of the rows of a table that has the columns fitted on, in any order.

        A category that the training rows did not have is 0 in every column of its feature.

        Args:
            rows: the table, n rows; other columns are ignored.

        Returns:
            float32, shape (n, len(feature_names)).

        Raises:
            DataError: where a column is missing or holds values that cannot be used.
        """
        wanted = [*self.numeric, *self.categorical]
        absent = [name for name in wanted if name not in rows.columns]
        if absent:
            raise DataError(
                f"columns {shortened(absent)} are missing; the model was trained on columns "
                f"{shortened(wanted)} of {self.source}."
            )
        clean = clean_columns(rows[wanted], self.source)
        for name in self.numeric:
            if not pd.api.types.is_numeric_dtype(clean[name]):
                raise DataError(f"column {name!r} must hold numbers, as in {self.source}.")
        for name in self.categorical:
            if pd.api.types.is_numeric_dtype(clean[name]):
                # Categories such as 1, 2 and 3+ read as numbers where no row has the last one.
                clean[name] = clean[name].map(_as_text, na_action="ignore").astype(object)
        check_missing(clean, self.missing, self.source)
        return _apply(self.columns, clean)


def fit_columns(train: pd.DataFrame, *, missing: str, source: str) -> TablePreprocessing:
    """Learns medians, means, standard deviations and categories from the training rows.

    Numbers: missing ones become the column's median, and a column that had some gets a further
    column, 1 where it was missing, before standardising; z = (x - mean) / std; a constant column
    becomes 0 and stays. Categories: one column each, 1 or 0; missing is a category of its own.

    Args:
        train: training rows as `clean_columns` returns them.
        missing: `impute` or `refuse`.
        source: the file, for errors.

    Returns:
        The fitted preprocessing.
    """
    numeric = [name for name in train if pd.api.types.is_numeric_dtype(train[name])]
    categorical = [name for name in train if name not in numeric]
    imputer = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False, dtype=np.float32)
    columns = ColumnTransformer(
        [
            ("numeric", Pipeline([("impute", imputer), ("scale", StandardScaler())]), numeric),
            ("categorical", encoder, categorical),
        ]
    ).fit(_filled(train))
    names = list(numeric)
    if numeric:
        indicator = columns.named_transformers_["numeric"]["impute"].indicator_
        names += [f"{numeric[i]} missing" for i in indicator.features_]
    if categorical:
        fitted = columns.named_transformers_["categorical"].categories_
        for name, categories in zip(categorical, fitted, strict=True):
            names += [f"{name}={category}" for category in categories]
    return TablePreprocessing(
        source, tuple(numeric), tuple(categorical), missing, columns, tuple(names)
    )


def _as_text(value: float) -> str:
    return str(int(value)) if value.is_integer() else repr(value)


def _filled(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with missing text made a category."""
    text = [name for name in frame if not pd.api.types.is_numeric_dtype(frame[name])]
    return frame.fillna(dict.fromkeys(text, MISSING_CATEGORY)) if text else frame


def _apply(columns: ColumnTransformer, frame: pd.DataFrame) -> Features:
    with np.errstate(over="ignore"):  # The data set refuses what became infinite.
        return np.asarray(columns.transform(_filled(frame))).astype(np.float32)
