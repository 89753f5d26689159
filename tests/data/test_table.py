"""A table becomes a data set: labels numbered, numbers standardised, text one-hot."""

import logging
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import StandardScaler

from src.data.errors import DataError
from src.data.table import table

SAMPLES = Path(__file__).parents[2].parent / "shared" / "data"
needs_samples = pytest.mark.skipif(
    not (SAMPLES / "ecoli.csv").is_file(), reason=f"the sample tables are not in {SAMPLES}"
)


def frame(rows=60):
    """Sixty rows: two columns of numbers, one of text, one of truth values, two classes."""
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "age": rng.integers(18, 80, rows),
            "dose": rng.normal(5, 2, rows),
            "ward": np.tile(["north", "south", "east"], rows // 3),
            "smoker": rng.random(rows) < 0.5,
            "outcome": np.tile(["well", "well", "ill"], rows // 3),
        }
    )


def write(folder, content, suffix=".csv", **options):
    path = folder / f"mine{suffix}"
    if suffix == ".parquet":
        content.to_parquet(path)
    else:
        content.to_csv(path, index=False, sep="\t" if suffix == ".tsv" else ",", **options)
    return str(path)


def whole(data, column):
    """All values of a feature, in no order."""
    k = data.feature_names.index(column)
    return np.concatenate([data.x_train[:, k], data.x_val[:, k], data.x_test[:, k]])


def test_csv_tsv_and_parquet_of_one_table_give_one_fingerprint(tmp_path):
    found = {
        table(write(tmp_path, frame(), suffix), "outcome").fingerprint
        for suffix in (".csv", ".tsv", ".parquet")
    }
    assert len(found) == 1


def test_an_npz_gives_what_the_same_numbers_in_a_csv_give(tmp_path):
    x = np.random.default_rng(1).normal(size=(50, 3))
    y = np.tile([3, 1], 25)
    np.savez_compressed(tmp_path / "arrays.npz", x=x, y=y)
    content = pd.DataFrame(x).assign(y=y)
    as_csv = table(write(tmp_path, content, float_format="%.17g", header=False), header=False)
    as_npz = table(str(tmp_path / "arrays.npz"))
    assert as_npz.class_names == as_csv.class_names == ("1", "3")
    np.testing.assert_allclose(as_npz.x_test, as_csv.x_test, atol=1e-6)


def test_text_and_truth_become_one_column_a_value(tmp_path):
    data = table(write(tmp_path, frame()), "outcome")
    assert data.class_names == ("ill", "well")
    assert data.feature_names == (
        "age",
        "dose",
        "ward=east",
        "ward=north",
        "ward=south",
        "smoker=False",
        "smoker=True",
    )
    wards = np.stack([whole(data, f"ward={ward}") for ward in ("east", "north", "south")])
    np.testing.assert_array_equal(wards.sum(axis=0), np.ones(60))
    assert wards.sum(axis=1).tolist() == [20, 20, 20]


def test_numbers_are_standardised_by_the_training_rows_alone(tmp_path):
    content = frame()[["age", "dose", "outcome"]]
    data = table(write(tmp_path, content), "outcome")
    np.testing.assert_allclose(data.x_train.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(data.x_train.std(axis=0), 1, atol=1e-5)
    fitted = data.preprocessing
    rows = data.x_train * fitted.scales + fitted.means
    oracle = StandardScaler().fit(rows)
    np.testing.assert_allclose(oracle.transform(rows), data.x_train, atol=1e-5)
    everything = np.vstack([data.x_train, data.x_val, data.x_test]) * fitted.scales + fitted.means
    np.testing.assert_allclose(np.sort(everything[:, 0]), np.sort(content["age"]), atol=1e-4)


def test_the_fitted_preprocessing_takes_new_rows_in_any_order_of_columns(tmp_path):
    content = frame()
    data = table(write(tmp_path, content), "outcome")
    out = data.preprocessing.transform(content[content.columns[::-1]])
    assert out.dtype == np.float32
    ours = np.vstack([data.x_train, data.x_val, data.x_test])
    np.testing.assert_array_equal(np.sort(out, axis=0), np.sort(ours, axis=0))
    strange = content.head(1).assign(ward="west", age=np.nan)
    row = data.preprocessing.transform(strange)[0]
    assert row[2:5].tolist() == [0, 0, 0]
    with pytest.raises(DataError, match="columns 'dose' are missing"):
        data.preprocessing.transform(content.drop(columns="dose"))
    with pytest.raises(DataError, match="row 1, column 'age': 'old' is no number"):
        data.preprocessing.transform(content.assign(age="old"))


def test_missing_numbers_become_the_training_median_and_a_column_says_where(tmp_path):
    content = frame()[["age", "dose", "outcome"]].astype({"age": float})
    content.loc[::4, "age"] = np.nan
    data = table(write(tmp_path, content), "outcome")
    assert data.feature_names == ("age", "dose", "age missing")
    flag = whole(data, "age missing")
    assert (flag > 0).sum() == 15
    imputed = np.unique(whole(data, "age")[flag > 0])
    fitted = data.preprocessing
    known = data.x_train[data.x_train[:, 2] < 0][:, 0]
    assert imputed.size == 1
    assert imputed[0] == pytest.approx(np.median(known), abs=1e-5)
    assert fitted.medians[0] == pytest.approx(
        imputed[0] * fitted.scales[0] + fitted.means[0], abs=1e-4
    )


def test_missing_text_is_a_category_of_its_own(tmp_path):
    content = frame()
    content.loc[::5, "ward"] = None
    assert "ward=(missing)" in table(write(tmp_path, content), "outcome").feature_names


@pytest.mark.parametrize("column", ["age", "ward"])
def test_missing_values_are_refused_where_asked(tmp_path, column):
    content = frame().astype({"age": float})
    content.loc[:6, column] = None
    with pytest.raises(DataError, match=rf"missing in columns '{column}' \(7\)"):
        table(write(tmp_path, content), "outcome", missing="refuse")


def test_a_constant_column_stays_and_is_zero(tmp_path):
    data = table(write(tmp_path, frame().assign(unit=7)), "outcome")
    np.testing.assert_array_equal(whole(data, "unit"), 0)


@pytest.mark.parametrize("label", ["outcome", -1, 4, "-1", "4", -5 + 4])
def test_the_label_is_a_name_or_an_index(tmp_path, label):
    assert table(write(tmp_path, frame()), label).class_names == ("ill", "well")


def test_a_name_wins_over_an_index_written_as_text(tmp_path):
    content = frame().rename(columns={"ward": "0"})
    path = write(tmp_path, content)
    assert table(path, "0").class_names == ("east", "north", "south")
    with pytest.raises(DataError, match="'age' has"):
        table(path, 0)


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ([10, 9, -1], ("-1", "9", "10")),
        (["'10'", "'9'", "'-1'"], ("-1", "9", "10")),
        ([1.0, 2.0, 0.0], ("0", "1", "2")),
        (["b", "10", "a"], ("10", "a", "b")),
        ([True, False, True], ("False", "True")),
        ([" b ", "a", "b"], ("a", "b")),
        ([0.5, 1.5, 2.5], ("0.5", "1.5", "2.5")),
    ],
)
def test_classes_are_ordered_by_size_or_alphabet_and_named_as_written(tmp_path, values, names):
    content = frame().assign(outcome=np.tile(np.array(values, dtype=object), 20))
    assert table(write(tmp_path, content), "outcome").class_names == names


def test_labels_stay_with_their_rows(tmp_path):
    content = pd.DataFrame({"x": np.arange(60.0), "y": ["low"] * 30 + ["high"] * 30})
    data = table(write(tmp_path, content), "y")
    assert data.class_names == ("high", "low")
    for split in ("train", "val", "test"):
        x, y = getattr(data, f"x_{split}")[:, 0], getattr(data, f"y_{split}")
        assert x[y == 1].max() < x[y == 0].min()


def test_columns_are_left_out_by_name_or_index(tmp_path):
    data = table(write(tmp_path, frame()), "outcome", drop=["ward", 3, "-4"])
    assert data.feature_names == ("age",)


def test_a_semicolon_file_is_read_when_told_so(tmp_path):
    path = write(tmp_path, frame()).replace("mine", "semi")
    frame().to_csv(path, index=False, sep=";")
    with pytest.raises(DataError, match=r"set data\.delimiter=';'"):
        table(path, "outcome")
    assert table(path, "outcome", delimiter=";").num_classes == 2


def test_a_first_column_without_a_name_is_suspected_of_being_a_row_number(tmp_path, caplog):
    path = tmp_path / "mine.csv"
    frame().to_csv(path)
    with caplog.at_level(logging.WARNING):
        data = table(str(path), "outcome")
    assert "leave it out with data.drop=[0]" in caplog.text
    assert data.feature_names[0] == "column_0"
    assert table(str(path), "outcome", drop=[0]).feature_names[0] == "age"


def test_classes_too_small_are_left_out_by_name_where_asked(tmp_path, caplog):
    content = frame()
    content.loc[:1, "outcome"] = "lost"
    path = write(tmp_path, content)
    with pytest.raises(DataError, match=r"'lost' \(2\).*3 rows.*data\.drop_rare_classes=true"):
        table(path, "outcome")
    with caplog.at_level(logging.WARNING):
        data = table(path, "outcome", drop_rare_classes=True)
    assert data.class_names == ("ill", "well")
    assert "'lost' (2)" in caplog.text


@needs_samples
def test_mammography_is_read_with_its_quotes_taken_off():
    data = table(str(SAMPLES / "mammography.csv"), -1, header=False)
    assert data.class_names == ("-1", "1")
    rows = sum(len(y) for y in (data.y_train, data.y_val, data.y_test))
    assert (rows, data.input_shape) == (11_183, (6,))
    assert data.class_counts[1] / len(data.y_train) == pytest.approx(0.0233, abs=2e-4)


@needs_samples
def test_ecoli_names_the_two_classes_too_small_to_split():
    path = str(SAMPLES / "ecoli.csv")
    with pytest.raises(DataError, match=r"'imL' \(2\), 'imS' \(2\)"):
        table(path, header=False)
    assert table(path, header=False, drop_rare_classes=True).num_classes == 6


@needs_samples
def test_wine_quality_has_six_classes_in_order_of_size():
    data = table(str(SAMPLES / "winequality-red.csv"), 11, header=False)
    assert data.class_names == ("3", "4", "5", "6", "7", "8")
    with pytest.raises(DataError, match=r"looks like data.*set data\.header=false"):
        table(str(SAMPLES / "winequality-red.csv"))
