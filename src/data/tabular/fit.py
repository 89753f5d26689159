"""Learns a table's preprocessing from the training rows, by scikit-learn."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from src.data.tabular.cells import MISSING_CATEGORY
from src.data.tabular.columns import TableLayout, TablePreprocessing


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
    numeric = [name for name in train if pd.api.types.is_numeric_dtype(train[name])]
    categorical = [name for name in train if name not in numeric]
    medians: list[float] = []
    means: list[float] = []
    scales: list[float] = []
    flagged: list[int] = []
    categories: list[tuple[str, ...]] = []
    if numeric:
        imputer = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
        scaler = StandardScaler().fit(imputer.fit_transform(train[numeric].to_numpy(np.float64)))
        medians = imputer.statistics_.tolist()
        flagged = imputer.indicator_.features_.tolist()
        means, scales = scaler.mean_.tolist(), scaler.scale_.tolist()
    if categorical:
        filled = train[categorical].astype(object).fillna(MISSING_CATEGORY)
        categories = [tuple(map(str, k)) for k in OneHotEncoder().fit(filled).categories_]
    return TablePreprocessing(
        source=source,
        numeric=tuple(numeric),
        categorical=tuple(categorical),
        missing=missing,
        medians=tuple(medians),
        flagged=tuple(flagged),
        means=tuple(means),
        scales=tuple(scales),
        categories=tuple(categories),
        layout=layout,
    )
