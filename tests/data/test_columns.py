"""Features of new rows are those of training, to the bit; scikit-learn is the oracle."""

import json
from dataclasses import asdict
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from pydantic import TypeAdapter
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from src.data.errors import CellError
from src.data.tabular.column_checks import clean_columns
from src.data.tabular.columns import TablePreprocessing
from src.data.tabular.fit import fit_columns

ROWS = 400


@pytest.fixture(scope="module")
def raw():
    """Numbers of every size, gaps, a constant, text, truth values, mixed categories."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "age": rng.integers(18, 80, ROWS),
            "dose": rng.normal(1e-3, 1e-9, ROWS),
            "huge": rng.lognormal(40, 30, ROWS),
            "constant": 3.7,
            "gaps": np.where(rng.random(ROWS) < 0.2, np.nan, rng.normal(size=ROWS)),
            "late gaps": rng.normal(size=ROWS),
            "never in training": np.r_[np.full(ROWS // 2, np.nan), rng.normal(size=ROWS // 2)],
            "ward": rng.choice(["north", " south", "'east'", None], ROWS),
            "smoker": rng.random(ROWS) < 0.5,
            "grade": rng.choice(["1", "2", "3+"], ROWS),
        }
    )
    frame.loc[ROWS - 5 :, "late gaps"] = np.nan
    return frame


@pytest.fixture(scope="module")
def fitted(raw):
    clean = clean_columns(raw, "raw")
    return fit_columns(clean.iloc[: ROWS // 2], missing="impute", source="raw")


@pytest.fixture(scope="module")
def oracle(raw):
    """What scikit-learn's own ColumnTransformer gives for all rows."""
    clean = clean_columns(raw, "raw")
    numeric = [name for name in clean if pd.api.types.is_numeric_dtype(clean[name])]
    text = [name for name in clean if name not in numeric]
    clean[text] = clean[text].astype(object).fillna("(missing)")
    impute = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
    encode = OneHotEncoder(handle_unknown="ignore", sparse_output=False, dtype=np.float32)
    steps = Pipeline([("impute", impute), ("scale", StandardScaler())])
    columns = ColumnTransformer([("numeric", steps, numeric), ("text", encode, text)])
    return columns.fit(clean.iloc[: ROWS // 2]).transform(clean).astype(np.float32)


def bits(features):
    return features.view(np.uint32)


def test_features_are_scikit_learns_to_the_bit(raw, fitted, oracle):
    np.testing.assert_array_equal(bits(fitted.transform(raw)), bits(oracle))
    assert len(fitted.feature_names) == oracle.shape[1]


def test_what_went_through_json_gives_the_same_bits_for_one_row_as_for_all(raw, fitted, oracle):
    again = TypeAdapter(TablePreprocessing).validate_python(json.loads(json.dumps(asdict(fitted))))
    assert again.feature_names == fitted.feature_names
    np.testing.assert_array_equal(bits(again.transform(raw)), bits(oracle))
    for row in (0, 7, ROWS - 1):
        alone = again.transform(raw.iloc[[row]].reset_index(drop=True))
        np.testing.assert_array_equal(bits(alone), bits(oracle[[row]]))


def test_one_row_may_read_otherwise_than_a_whole_column(raw, fitted):
    """Without the other rows, `3+` gone, a grade reads as a number; a date-like text is no date."""
    row = raw.iloc[[0]].astype(object)
    at = [fitted.feature_names.index(f"grade={grade}") for grade in ("1", "2", "3+")]
    for cell in (2, 2.0, "2", " '2' ", np.int64(2)):
        assert fitted.transform(row.assign(grade=cell))[0, at].tolist() == [0, 1, 0]
    smoker = fitted.feature_names.index("smoker=True")
    for cell in (True, "True", np.True_):
        assert fitted.transform(row.assign(smoker=cell))[0, smoker] == 1
    assert fitted.transform(row.assign(grade="2024-01-02"))[0, at].tolist() == [0, 0, 0]
    whole = fitted.transform(row.assign(age=40))
    for cell in (40.0, Decimal(40), np.float32(40)):
        np.testing.assert_array_equal(fitted.transform(row.assign(age=cell)), whole)


@pytest.mark.parametrize(
    ("column", "cell", "reason"),
    [
        ("age", True, "True is no number"),
        ("age", {"a": 1}, "is no number"),
        ("age", 10**400, "too large"),
        ("age", pd.Timestamp("2024-01-02"), "is no number"),
        ("ward", ["north"], r"\['north'\] is no category"),
        ("ward", {"a": 1}, "is no category"),
    ],
)
def test_a_bad_cell_is_named_by_row_and_column(raw, fitted, column, cell, reason):
    rows = raw.head(5).astype(object)
    rows.at[3, column] = cell
    with pytest.raises(CellError, match=f"^row 4, column '{column}': .*{reason}"):
        fitted.transform(rows)


def test_missing_values_are_refused_where_training_refused_them(raw):
    clean = clean_columns(raw[["age", "grade"]], "raw")
    strict = fit_columns(clean, missing="refuse", source="raw")
    rows = raw.head(5).astype(object)
    for column in ("age", "grade"):
        gap = rows.copy()
        gap.at[2, column] = None
        with pytest.raises(CellError, match=f"row 3, column '{column}': is missing"):
            strict.transform(gap)
