"""A split that cannot be made ends in one message: the key, the value, and what would be right."""

import numpy as np
import pandas as pd
import pytest

from src.data.classification import classification
from src.data.errors import DataError
from src.data.simulated import simulated
from src.data.table import table

ROWS = 100


def rows():
    part = np.resize(["train", "val", "test", "train", "train"], ROWS)
    return pd.DataFrame(
        {
            "x": np.arange(ROWS) * 0.5,
            "who": np.arange(ROWS) // 10,
            "day": pd.date_range("2024-01-01", periods=ROWS).strftime("%Y-%m-%d"),
            "part": part,
            "y": np.resize(["a", "b", "a", "a", "b", "a", "a"], ROWS),
        }
    )


def changed(**columns):
    return rows().assign(**columns)


def mixed(first, second):
    return np.repeat([first, second], ROWS // 2)


GROUP, TIME, PART = {"group": "who"}, {"time": "day"}, {"split_column": "part"}
FEW = np.where(np.arange(ROWS) < 20, "b", "a")
CASES = {
    "a third word": (
        changed(part=mixed("train", "dev")),
        PART,
        "'dev'; right are train, test, and",
    ),
    "no test": (changed(part=mixed("train", "val")), PART, "no row of 'test'"),
    "no split": (
        changed(part=rows().part.where(rows().x != 1)),
        PART,
        "1 missing cells, the first in row 3",
    ),
    "no class in the test": (
        changed(y=np.where(rows().part == "test", "a", rows().y)),
        PART,
        "none of the 20 rows given as test is of class 'b'",
    ),
    "group missing": (changed(who=rows().who.where(rows().x > 1)), GROUP, "3 missing cells"),
    "two groups of a class": (
        changed(y=FEW),
        GROUP,
        "too few groups of data.group=who with class 'b' for 3 splits",
    ),
    "groups of one class": (
        changed(who=rows().y),
        GROUP,
        "too few groups of data.group=who with class 'a', 'b'",
    ),
    "groups for folds": (
        changed(y=np.where(np.arange(ROWS) < 40, "b", "a")),
        GROUP | {"split": "kfold"},
        "data.folds=5 needs as many groups of each class, one for each fold; too few has class 'b'",
    ),
    "rows for folds": (
        changed(y=["b"] * 4 + ["a"] * 96),
        {"split": "kfold"},
        "too few has class 'b' (4 rows)",
    ),
    "folds": (rows(), {"split": "kfold", "val_fraction": 0.8}, "must be below 0.8"),
    "dates of mixed form": (
        changed(day=mixed("2024-01-02", "03/04/2024")),
        TIME,
        "such as '2024-01-02', '03/04/2024'",
    ),
    "zones of mixed form": (
        changed(day=mixed("2024-01-02T10:00Z", "2024-01-02T11:00")),
        TIME,
        "of mixed form",
    ),
    "day or month": (
        changed(day=mixed("03/04/2024", "04/04/2024")),
        TIME,
        "can be 2024-04-03 or 2024-03-04",
    ),
    "no date": (changed(day="soon"), TIME, "neither numbers nor dates of one form, such as 'soon'"),
    "no such day": (changed(day="30/02/2024"), TIME, "such as '30/02/2024'"),
    "truth": (changed(day=mixed(True, False)), TIME, "holds true and false"),
    "date missing": (changed(day=rows().day.where(rows().x != 0)), TIME, "the first in row 1"),
    "one time": (changed(day=7), TIME, "has 1 different times in 100 rows"),
    "origins": (rows(), TIME | {"origins": 5}, "right is data.origins=4 or fewer"),
    "class of the end": (
        changed(y=np.where(np.arange(ROWS) < 50, "a", rows().y)),
        TIME,
        "that data.time=day makes train at origin 2 of 4 from the end is of class 'b'",
    ),
    "no column": (rows(), {"group": "whom"}, "Did you mean 'who'?"),
    "the label": (rows(), {"time": "y"}, "data.time='y' is the label 'y'"),
    "two ways": (rows(), GROUP | TIME, "say which by data.split=group or data.split=time"),
    "group, but which": (rows(), {"split": "group"}, "data.split=group needs data.group=COLUMN"),
    "given, but how": (
        rows(),
        {"split": "given"},
        "needs data.test_path=FILE or data.split_column",
    ),
    "given and drawn": (rows(), PART | {"split": "kfold"}, "cannot stand with data.split=kfold"),
    "given twice": (rows(), PART | {"test_path": "t.csv"}, "say twice what the splits are"),
    "validation alone": (rows(), {"val_path": "v.csv"}, "data.test_path=FILE is missing"),
}


def refused(file, content, said, **keys):
    """Whether a table of that content is refused in one line that says so."""
    content.to_csv(file, index=False)
    with pytest.raises(DataError) as error:
        table(str(file), "y", **keys)
    return said in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("case", CASES)
def test_the_message_says_what_is_wrong_and_what_would_be_right(tmp_path, case):
    content, keys, said = CASES[case]
    assert refused(tmp_path / "t.csv", content, said, **{"drop": ["who", "day", "part"]} | keys)


OTHER = {
    "no column": (rows().drop(columns="x"), "has no column 'x', as data.path has."),
    "another name": (
        rows().rename(columns={"who": "Who"}),
        "besides it has 'Who'. Did you mean 'Who'?",
    ),
    "no label": (rows().drop(columns="y"), "predict it afterwards, with python -m src.predict"),
    "text for numbers": (changed(x="old"), "column 'x' holds 'old', where data.path has numbers"),
    "a label missing": (changed(y=rows().y.where(rows().x != 2)), "column 'y' has 1 missing cells"),
    "another class": (changed(y=mixed("a", "c")), "given as train is of class 'c'"),
}


@pytest.mark.parametrize("case", OTHER)
def test_a_test_file_with_other_columns_is_refused_by_name(tmp_path, case):
    content, said = OTHER[case]
    content.to_csv(tmp_path / "other.csv", index=False)
    keys = {"drop": ["day", "part"], "test_path": str(tmp_path / "other.csv")}
    assert refused(tmp_path / "t.csv", rows(), said, **keys)


def test_the_same_file_or_another_number_of_nameless_columns_is_no_test(tmp_path):
    one, wider = tmp_path / "t.csv", tmp_path / "wider.csv"
    rows()[["x", "who", "y"]].to_csv(one, index=False, header=False)
    rows()[["x", "x", "who", "y"]].to_csv(wider, index=False, header=False)
    for file, said in (
        (one, "is the file of data.path itself"),
        (wider, "has 4 columns and data.path 3"),
    ):
        with pytest.raises(DataError, match=said):
            table(str(one), header=False, test_path=str(file))


@pytest.mark.parametrize("source", [simulated, classification])
def test_fresh_rows_are_split_at_random_alone(source):
    with pytest.raises(
        DataError, match=r"data\.split='kfold' must be one of auto, random: each seed draws"
    ):
        source(split="kfold")
