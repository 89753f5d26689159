"""A table becomes a data set: labels numbered, numbers standardised, text one-hot."""

import logging
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

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


def test_columns_are_fitted_on_training_rows_alone_and_taken_in_any_order(tmp_path):
    content = frame()
    data = table(write(tmp_path, content), "outcome")
    np.testing.assert_allclose(data.x_train[:, :2].mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(data.x_train[:, :2].std(axis=0), 1, atol=1e-5)
    out = data.preprocessing.transform(content[content.columns[::-1]])
    assert out.dtype == np.float32
    ours = np.vstack([data.x_train, data.x_val, data.x_test])
    np.testing.assert_array_equal(np.sort(out, axis=0), np.sort(ours, axis=0))
    with pytest.raises(DataError, match="columns 'dose' are missing"):
        data.preprocessing.transform(content.drop(columns="dose"))


@pytest.mark.parametrize("column", ["age", "ward"])
def test_missing_values_are_refused_where_asked(tmp_path, column):
    content = frame().astype({"age": float})
    content.loc[:6, column] = None
    with pytest.raises(DataError, match=rf"missing in columns '{column}' \(7\)"):
        table(write(tmp_path, content), "outcome", missing="refuse")


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
    with pytest.raises(DataError, match=r"set data\.delimiter=semicolon"):
        table(path, "outcome")
    assert table(path, "outcome", delimiter="semicolon").num_classes == 2


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
def test_real_tables_are_read_as_they_are():
    mammography = table(str(SAMPLES / "mammography.csv"), -1, header=False)
    assert mammography.class_names == ("-1", "1")  # quoted in the file
    rows = sum(len(y) for y in (mammography.y_train, mammography.y_val, mammography.y_test))
    assert (rows, mammography.input_shape) == (11_183, (6,))
    share = mammography.class_counts[1] / len(mammography.y_train)
    assert share == pytest.approx(0.0233, abs=2e-4)
    ecoli = str(SAMPLES / "ecoli.csv")
    with pytest.raises(DataError, match=r"'imL' \(2\), 'imS' \(2\)"):
        table(ecoli, header=False)
    assert table(ecoli, header=False, drop_rare_classes=True).num_classes == 6
    wine = str(SAMPLES / "winequality-red.csv")
    assert table(wine, 11, header=False).class_names == ("3", "4", "5", "6", "7", "8")
    with pytest.raises(DataError, match=r"looks like data.*set data\.header=false"):
        table(wine)
