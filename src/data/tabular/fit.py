"""Learns a table's preprocessing from the training rows, with the bits of scikit-learn's pipeline.

`SimpleImputer` and `OneHotEncoder` copy the whole table, so their part is done by column here.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
from sklearn.preprocessing import StandardScaler

from src.data.tabular.cells import MISSING_CATEGORY
from src.data.tabular.columns import TableLayout, TablePreprocessing


def fit_columns(
    train: pd.DataFrame, *, missing: str, source: str, layout: TableLayout | None = None
) -> TablePreprocessing:
    """Learns medians, means, standard deviations and categories from the training rows.

    Numbers: missing ones become the column's median, and a column that had some gets a further
    column, 1 where it was missing, before standardising; z = (x - mean) / std; a constant column
    becomes 0 and stays. Categories: one column each, 1 or 0; missing is a category of its own.
    The training rows are as `clean_columns` returns them.
    """
    numeric = [name for name in train if pd.api.types.is_numeric_dtype(train[name])]
    categorical = [name for name in train if name not in numeric]
    flagged = [i for i, name in enumerate(numeric) if train[name].hasnans]
    # Sums differ in the last bit by the order in memory: this is the one that SimpleImputer gives.
    order: Literal["C", "F"] = "F" if flagged and len(numeric) > 1 else "C"
    filled = np.empty((len(train), len(numeric) + len(flagged)), order=order)
    medians = []
    for i, name in enumerate(numeric):
        column = train[name].to_numpy(np.float64)
        gaps = np.isnan(column)
        medians.append(0.0 if gaps.all() else float(np.median(column[~gaps])))
        filled[:, i] = np.where(gaps, medians[i], column)
        if i in flagged:
            filled[:, len(numeric) + flagged.index(i)] = gaps
    scaler = StandardScaler(copy=False).fit(filled) if numeric else None
    return TablePreprocessing(
        source=source,
        numeric=tuple(numeric),
        categorical=tuple(categorical),
        missing=missing,
        medians=tuple(medians),
        flagged=tuple(flagged),
        means=tuple(scaler.mean_.tolist() if scaler else ()),
        scales=tuple(scaler.scale_.tolist() if scaler else ()),
        categories=tuple(_categories(train[name]) for name in categorical),
        layout=layout,
    )


def _categories(column: pd.Series) -> tuple[str, ...]:
    """The different texts of a column by alphabet; missing is one of them."""
    missing = [MISSING_CATEGORY] if column.hasnans else []
    return tuple(sorted({*map(str, column.dropna().unique()), *missing}))
