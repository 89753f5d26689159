"""Rows that are alike are counted, and none of them is trained on and tested on."""

import logging
from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from src.data.duplicates import count_duplicates, number_rows
from src.data.errors import DataError
from src.data.splitting.split import stratified_split
from src.data.table import table

SPLITS = ("train", "val", "test")


def repeated_rows(rows=400, different=150, conflicts=5, seed=0):
    """Numbers, gaps and text; some rows are there again and again, some with both labels."""
    rng = np.random.default_rng(seed)
    content = pd.DataFrame(
        {
            "a": rng.normal(size=different).round(3),
            "b": np.where(rng.random(different) < 0.2, np.nan, rng.integers(3, size=different)),
            "c": rng.choice(["x", "y", None], different),
            "label": rng.random(different) < 0.2,
        }
    )
    more = content.iloc[rng.integers(different, size=rows - different)]
    content = pd.concat([content, more], ignore_index=True)
    content.loc[rows - conflicts :, "label"] ^= True
    return content


def rows_by_split(data):
    """The rows of each split as bytes, features alone."""
    return {split: [row.tobytes() for row in getattr(data, f"x_{split}")] for split in SPLITS}


def shared(data):
    """Rows of validation and test that are in another split, too."""
    train, val, test = (set(rows) for rows in rows_by_split(data).values())
    return len(train & val) + len(train & test) + len(val & test)


@pytest.fixture
def path(tmp_path):
    repeated_rows().to_csv(tmp_path / "mine.csv", index=False)
    return str(tmp_path / "mine.csv")


def test_counts_agree_with_pandas():
    content = repeated_rows()
    features, y = content.drop(columns="label"), content["label"].to_numpy(np.int64)
    counts, repeated = count_duplicates(number_rows(features), y)
    assert counts.duplicate_rows == features.duplicated().sum() == 250
    labels = content.groupby(["a", "b", "c"], dropna=False)["label"].transform("nunique")
    assert counts.conflicting_rows == (labels > 1).sum() > 5
    np.testing.assert_array_equal(repeated, content.duplicated())


def test_minus_zero_is_zero_and_another_order_of_values_is_another_row():
    zeros = pd.DataFrame({"a": [0.0, -0.0, 1.0], "b": [1.0, 1.0, 0.0]})
    assert number_rows(zeros).tolist() == [0, 0, 1]


def test_rows_that_are_alike_stay_in_one_split_by_default(path):
    for seed in range(5):
        data = table(path, "label", seed=seed)
        assert shared(data) == 0
        assert sum(data.rows.values()) == 400
        for split in ("val", "test"):
            y = getattr(data, f"y_{split}")
            assert len(y) == pytest.approx(80, abs=2)
            assert np.mean(y) == pytest.approx(np.mean(data.y_train), abs=0.03)
    assert shared(table(path, "label", duplicates="keep")) > 50


def test_the_first_stays_where_they_are_dropped(path):
    data = table(path, "label", duplicates="drop")
    different = pd.read_csv(path).drop_duplicates()
    assert sum(data.rows.values()) == len(different)
    assert shared(data) == 0


def test_what_was_found_is_said_in_one_line(path, caplog):
    with caplog.at_level(logging.INFO):
        data = table(path, "label")
    _, said = (record.getMessage() for record in caplog.records)  # and that the file was read
    assert "250 of 400 rows have the features of an earlier row" in said
    assert "data.duplicates=group" in said
    assert asdict(data.duplicates)["duplicate_rows"] == 250


def test_without_duplicates_nothing_is_said_and_the_splits_stay(tmp_path, caplog):
    content = repeated_rows(rows=150, conflicts=0)
    content.to_csv(tmp_path / "mine.csv", index=False)
    with caplog.at_level(logging.INFO):
        found = {
            table(str(tmp_path / "mine.csv"), "label", seed=3, duplicates=how).fingerprint
            for how in ("group", "drop", "keep")
        }
    assert len(found) == 1
    assert all(": read and cleaned, " in record.getMessage() for record in caplog.records)


@pytest.mark.parametrize("how", ["group", "drop"])
def test_a_class_of_one_row_in_many_copies_is_refused(tmp_path, how):
    content = pd.DataFrame({"a": [1.0] * 9 + [*range(40)], "label": ["odd"] * 9 + ["even"] * 40})
    content.to_csv(tmp_path / "mine.csv", index=False)
    with pytest.raises(DataError, match=r"'odd'.*data\.duplicates=keep") as caught:
        table(str(tmp_path / "mine.csv"), "label", duplicates=how)
    assert "\n" not in str(caught.value)
    table(str(tmp_path / "mine.csv"), "label", duplicates="keep")


@given(
    copies=st.lists(st.lists(st.integers(1, 30), min_size=3, max_size=40), min_size=2, max_size=4),
    conflicts=st.integers(0, 3),
    seed=st.integers(0, 2**32 - 1),
)
@settings(max_examples=150, derandomize=True, deadline=None)
def test_any_groups_are_split_whole_with_every_class_in_every_split(copies, conflicts, seed):
    """Each class has three groups or more of its own; some more have rows of two classes."""
    y = np.concatenate([np.full(sum(sizes), k) for k, sizes in enumerate(copies)])
    of_class = [np.repeat(np.arange(len(sizes)), sizes) for sizes in copies]
    firsts = np.cumsum([0, *map(len, copies)])
    groups = np.concatenate([a + first for a, first in zip(of_class, firsts, strict=False)])
    y = np.concatenate([y, np.tile([0, 1], conflicts)])
    groups = np.concatenate([groups, firsts[-1] + np.repeat(np.arange(conflicts), 2)])
    names = tuple(f"c{k}" for k in range(len(copies)))
    found = stratified_split(y, names, "here", seed, groups, val_fraction=0.2, test_fraction=0.2)
    np.testing.assert_array_equal(np.sort(np.concatenate(found)), np.arange(len(y)))
    for part, others in ((found[0], found[1:]), (found[1], found[2:])):
        assert not set(groups[part]) & set(groups[np.concatenate(others)])
    largest = max(max(sizes) for sizes in copies)
    for part, share in zip(found, (0.6, 0.2, 0.2), strict=True):
        assert (np.bincount(y[part], minlength=len(names)) > 0).all()
        assert abs(len(part) - share * len(y)) <= len(names) * (largest + 3)


def test_groups_go_to_the_splits_in_proportion_to_these():
    y, groups = np.repeat([0, 1], [600, 300]), np.arange(900) // 3
    tested = np.zeros(300)
    for seed in range(200):
        _, _, test = stratified_split(
            y, ("a", "b"), "here", seed, groups, val_fraction=0.2, test_fraction=0.2
        )
        tested[np.unique(groups[test])] += 1
    share = tested / 200
    assert share.mean() == pytest.approx(0.2, abs=0.005)
    assert share.std() == pytest.approx(np.sqrt(0.2 * 0.8 / 200), rel=0.2)
