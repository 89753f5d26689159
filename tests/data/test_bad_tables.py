"""Every table that cannot be used ends in one clear error that says what to do."""

import re
from datetime import date

import numpy as np
import pandas as pd
import pytest

from src.data.errors import DataError
from src.data.table import table
from src.runs.dataset_cache import load_dataset

Y = ["n", "n", "p"] * 20


def rows(**columns):
    return pd.DataFrame({"a": np.arange(60.0), **columns, "y": Y}).to_csv(index=False).encode()


HEAD = b"a,b,y\n"
GOOD = b"".join(b"%d,%d,%s\n" % (i, i % 7, Y[i].encode()) for i in range(60))

BAD_TEXT = {
    "empty": (b"", "is an empty file"),
    "blank lines": (b"\n\n\n", "is an empty file"),
    "names alone": (HEAD, "has no rows of data"),
    "zero bytes": (b"a,y\n1,\0\n", "is no text file"),
    "latin-1": (rows(b="x") + "1,é,n\n".encode("latin-1"), "is not UTF-8 text"),
    "a row too long": (HEAD + GOOD + b"1,2,n,9\n", "cannot be read as a table|more cells"),
    "all rows too long": (b"a,y\n" + GOOD, "more cells than its first row"),
    "an open quote": (HEAD + GOOD + b'"1,2,n\n', "cannot be read as a table"),
    "names repeat": (b"a,a,y\n" + GOOD, "names repeat: 'a'; if .* data already, set data.header"),
    "numbers for names": (b"1,1,y\n" + GOOD, "looks like data.*set data.header=false"),
    "values for names": (b"1,2,n\n" + GOOD, "looks like data.*set data.header=false"),
    "no such label": (b"a,b,Y\n" + GOOD, "data.label='y' is no column.*'a', 'b', 'Y'"),
    "label missing": (HEAD + GOOD + b"1,2,\n", "1 of 61 rows have no label.*row 60"),
    "row cut short": (HEAD + GOOD + b"1\n", "1 of 61 rows have no label"),
    "one class": (HEAD + b"1,2,n\n" * 9, "only one class, 'n', in 9 rows"),
    "class of two": (HEAD + GOOD + b"1,2,q\n" * 2, r"class 'q' \(2\); a class needs at least 3"),
    "no features": (b"y\n" + b"n\np\n" * 9, "no column is left for features"),
    "infinite": (HEAD + GOOD + b"inf,2,n\n", "'a' has infinite values"),
    "huge": (HEAD + GOOD + b"1e200,2,n\n", "'a' has infinite values or values beyond 1e\\+100"),
    "empty column": (rows(b=None), r"'b' is empty; leave it out with 'data\.drop=\[b\]"),
    "dates": (rows(b="2024-02-29"), "'b' holds dates or times"),
    "times": (rows(b="12:30"), "'b' holds dates or times"),
    "dates in words": (rows(b="1 May 2024"), "'b' holds dates or times"),
    "identifiers": (rows(b=[f"id{i}" for i in range(60)]), "60 different texts, more than"),
    "numbers but one": (rows(b=["n/k", *range(59)]), "numbers but for 'n/k'.*na_values"),
}


@pytest.mark.parametrize(("content", "message"), BAD_TEXT.values(), ids=BAD_TEXT.keys())
def test_bad_text_files_end_in_the_same_message_where_the_config_names_the_source(
    tmp_path, content, message
):
    path = tmp_path / "mine.csv"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        table(str(path), "y")
    said = str(caught.value)
    assert "mine.csv" in said
    assert "\n" not in said
    with pytest.raises(DataError, match=f"^{re.escape(said)}$"):
        load_dataset({"_target_": "src.data.table.table", "path": str(path), "label": "y"})


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.linspace(0, 1, 60), "60 distinct values in 60 rows.*a measurement or an identifier"),
        (np.repeat(np.linspace(0, 1, 30), 2), "30 distinct values"),
        (np.arange(60), "60 distinct values"),
        ([f"id{i}" for i in range(60)], "60 distinct values"),
        ([float("inf"), 1.0, 2.0] * 20, "holds inf"),
    ],
)
def test_a_label_that_is_no_class_is_refused(tmp_path, y, message):
    path = tmp_path / "mine.csv"
    pd.DataFrame({"a": np.arange(60.0), "y": y}).to_csv(path, index=False)
    with pytest.raises(DataError, match=message):
        table(str(path), "y")


def test_a_million_identifiers_as_labels_are_refused_at_once(tmp_path):
    path = tmp_path / "mine.npz"
    np.savez(path, x=np.zeros((1_000_000, 1), dtype=np.float32), y=np.arange(1_000_000))
    with pytest.raises(DataError, match="1000000 distinct values"):
        table(str(path))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"label": "yy"}, "data.label='yy' is no column.*Did you mean 'y'"),
        ({"label": 3}, "data.label=3 is out of range: .* has 3 columns, 0 to 2"),
        ({"label": -4}, "data.label=-4 is out of range"),
        ({"label": True}, "data.label=True must be a column's name or its index"),
        ({"label": None}, "data.label=None"),
        ({"drop": ["z"]}, "data.drop='z' is no column"),
        ({"drop": "b"}, r"must be a list, such as 'data\.drop=\[b\]'"),
        ({"drop": ["a", "b"]}, "no column is left for features beside the label 'y'"),
        ({"missing": "ignore"}, "data.missing='ignore' must be one of impute, refuse"),
        ({"header": False}, r"looks like column names \('a' above.*set data\.header=true"),
        (
            {"delimiter": "::"},
            "data.delimiter='::' must be semicolon, tab, .* or one character",
        ),
        ({"encoding": "klingon"}, "csv: 'klingon' is no encoding; right are utf-8"),
        ({"encoding": "zip"}, "csv: 'zip' is no encoding"),
        ({"decimal": ";"}, r"data.decimal=';' must be one of \., ,"),
        ({"thousands": "::"}, "data.thousands='::' must be one character"),
        ({"thousands": ".", "decimal": "."}, "data.thousands='.' must differ"),
        ({"na_values": "x"}, "data.na_values='x' must be a list"),
        ({"na_values": {"a": "x"}}, "data.na_values=.* must be a list"),
        ({"min_class_count": 2}, "data.min_class_count=2 must be greater than or equal to 3"),
        ({"min_class_count": 21}, r"class 'p' \(20\); a class needs at least 21"),
        ({"min_class_count": 99, "drop_rare_classes": True}, "no class has .*=99 rows"),
        ({"min_class_count": 21, "drop_rare_classes": True}, "only one class, 'n'"),
        ({"max_categories": 0}, "data.max_categories=0"),
        ({"val_fraction": 0}, "data.val_fraction=0 must be greater than 0"),
        ({"val_fraction": 2}, "data.val_fraction=2"),
        ({"val_fraction": "a"}, "data.val_fraction='a'"),
        ({"val_fraction": float("nan")}, "data.val_fraction=nan"),
        ({"test_fraction": 1.0}, "data.test_fraction=1.0"),
        ({"val_fraction": 0.5, "test_fraction": 0.5}, "leave no row to train on"),
        *(({"seed": seed}, rf"data\.seed={seed!r}") for seed in (-1, 2**32, 1.5, True, "1")),
        ({"path": ""}, "data.path='' must name a file"),
        ({"path": "nowhere.csv"}, "data.path='nowhere.csv' does not exist"),
        ({"path": "."}, "data.path='.' is a folder"),
        ({"path": __file__}, r"ends in '\.py'; right are \.csv, \.tsv"),
    ],
)
def test_wrong_values_are_named_by_their_key(tmp_path, changes, message):
    path = tmp_path / "mine.csv"
    path.write_bytes(HEAD + GOOD)
    with pytest.raises(DataError, match=message):
        table(**({"path": str(path), "label": "y"} | changes))


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ([date(2024, 1, 1)] * 60, "holds dates or times"),
        (pd.date_range("2024-01-01", periods=60), "holds dates or times"),
        (pd.to_timedelta(np.arange(60), unit="s"), "holds dates or times"),
        ([[1, 2]] * 60, "'a' holds list<"),
        ([{"b": 1}] * 60, "'a' holds struct<"),
        ([b"x"] * 60, "'a' holds binary"),
        ([str(i) for i in range(60)], "holds numbers stored as text"),
    ],
)
def test_parquet_columns_that_are_neither_numbers_nor_text(tmp_path, column, message):
    path = tmp_path / "mine.parquet"
    pd.DataFrame({"a": column, "y": Y}).to_parquet(path)
    with pytest.raises(DataError, match=message):
        table(str(path), "y")


def test_a_parquet_index_does_not_hide_a_column(tmp_path):
    path = tmp_path / "mine.parquet"
    pd.DataFrame({"a": np.arange(60) ** 2, "y": Y}).set_index("a").to_parquet(path)
    assert table(str(path), "y").feature_names == ("a",)
