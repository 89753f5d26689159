"""What gives a label away is told by name, before anything is trained."""

import logging

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from src.data.splitting.leaks import _areas
from src.data.table import table


def clean(n=300, seed=0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "age": rng.normal(size=n),
            "ward": rng.choice(["north", "south", "east"], n),
            "patient": rng.integers(30, size=n),
            "y": rng.choice(["well", "ill", "dead"], n, p=[0.7, 0.2, 0.1]),
        }
    )


@pytest.fixture
def warned(tmp_path, caplog):
    """Reads a table, and gives its warnings."""

    def read(rows, **keys):
        caplog.clear()
        rows.to_csv(tmp_path / "t.csv", index=False)
        with caplog.at_level(logging.WARNING):
            for seed in (0, 1):
                table(str(tmp_path / "t.csv"), "y", seed=seed, **keys)
        return [record.getMessage() for record in caplog.records]

    return read


@given(st.integers(0, 1000), st.integers(2, 4), st.integers(1, 30))
@settings(max_examples=30, derandomize=True, deadline=None)
def test_areas_are_scikit_learns_in_the_better_direction(seed, classes, values):
    rng = np.random.default_rng(seed)
    y = np.r_[np.arange(classes), rng.integers(classes, size=50)]
    x = rng.integers(values, size=len(y)).astype(float)
    theirs = [roc_auc_score(y == k, x) for k in range(classes)]
    np.testing.assert_allclose(_areas(x, y, classes), np.maximum(theirs, 1 - np.array(theirs)))


@pytest.mark.parametrize(
    "tell",
    [
        lambda rows: (rows.y == "dead") + rows.age * 1e-3,
        lambda rows: np.where(rows.y == "dead", "code 7", rows.ward),
        lambda rows: np.where(rows.y == "dead", np.where(rows.age > 0, "R99", "R98"), rows.ward),
        lambda rows: np.where(rows.y == "dead", np.nan, rows.age),
    ],
    ids=["a number", "a text", "two texts", "missing where"],
)
def test_a_column_that_tells_a_class_is_named_once(warned, tell):
    rows = clean()
    (said,) = warned(rows.assign(discharge=tell(rows)), drop=["patient"])
    assert "one column alone tells a class from all others: 'discharge' (class 'dead', AUC" in said
    assert said.endswith("leave it out with 'data.drop=[discharge]'")


def test_a_table_without_any_is_read_in_silence_and_the_test_is_not_looked_at(warned):
    rows = clean()
    assert warned(rows, drop=["patient"]) == []
    assert warned(rows, group="patient") == []
    part = np.resize(["train", "train", "test"], len(rows))
    shown = np.where(part == "test", np.where(rows.y == "dead", 9.0, rows.age), rows.age)
    assert warned(rows.assign(shown=shown, part=part), drop=["patient"], split_column="part") == []


def test_groups_on_both_sides_are_named(warned):
    (said,) = warned(clean(), group="patient", split="random")
    assert "28 of 30 groups of data.group=patient are in more than one of train, validation" in said
    assert said.endswith("data.split=group keeps each in one")
    one_side = clean().assign(part=lambda rows: np.where(rows.patient < 20, "train", "test"))
    one_side.loc[one_side.patient == 19, "part"] = np.resize(
        ["train", "test"], (one_side.patient == 19).sum()
    )
    (said,) = warned(one_side, group="patient", split_column="part")
    assert "1 of 30 groups of data.group=patient" in said
    assert "such as '19'" in said


def test_copies_across_given_splits_are_named_and_dropped_from_what_is_trained_on(tmp_path, caplog):
    first, last = clean(), clean(100, seed=1)
    first.to_csv(tmp_path / "t.csv", index=False)
    pd.concat([last, first.iloc[[4, 5]]]).to_csv(tmp_path / "last.csv", index=False)
    keys = {"drop": ["patient"], "test_path": str(tmp_path / "last.csv")}
    with caplog.at_level(logging.WARNING):
        kept = table(str(tmp_path / "t.csv"), "y", **keys)
    (said,) = [record.getMessage() for record in caplog.records]
    assert "2 of 102 test rows have the features of rows in other splits" in said
    assert "such as row 101 of data.test_path and row 5 of data.path" in said
    caplog.clear()
    dropped = table(str(tmp_path / "t.csv"), "y", duplicates="drop", **keys)
    assert not caplog.records
    assert (len(kept.y_test), len(dropped.y_test)) == (102, 102)
    assert sum(dropped.rows.values()) == sum(kept.rows.values()) - 2
