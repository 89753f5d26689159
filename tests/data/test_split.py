"""Splits are stratified, complete, seeded, and never lose a class."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import train_test_split

from src.data.errors import DataError
from src.data.split import stratified_subset, three_way, two_way


def names(k):
    return tuple(f"c{i}" for i in range(k))


def split(y, seed=0, val=0.2, test=0.2):
    return three_way(
        y, names(y.max() + 1), val_fraction=val, test_fraction=test, seed=seed, source="here"
    )


@given(
    counts=st.lists(st.integers(3, 60), min_size=2, max_size=6),
    val=st.floats(0.01, 0.49),
    test=st.floats(0.01, 0.49),
    seed=st.integers(0, 2**32 - 1),
)
@settings(max_examples=80, derandomize=True, deadline=None)
def test_every_row_is_in_one_split_and_every_class_in_all_three(counts, val, test, seed):
    y = np.repeat(np.arange(len(counts)), counts)
    found = split(y, seed, val, test)
    rows = np.concatenate([found.train, found.val, found.test])
    np.testing.assert_array_equal(np.sort(rows), np.arange(len(y)))
    for part in (found.train, found.val, found.test):
        assert np.bincount(y[part], minlength=len(counts)).min() >= 1
    for part, fraction in ((found.val, val), (found.test, test)):
        got = np.bincount(y[part], minlength=len(counts))
        assert np.abs(got - np.array(counts) * fraction).max() <= 1.0


def test_class_counts_agree_with_scikit_learns_stratified_split():
    y = np.repeat([0, 1, 2], [700, 200, 100])
    found = split(y)
    rest, test = train_test_split(y, test_size=0.2, stratify=y, random_state=0)
    train, val = train_test_split(rest, test_size=0.25, stratify=rest, random_state=0)
    for ours, theirs in ((found.train, train), (found.val, val), (found.test, test)):
        np.testing.assert_array_equal(np.bincount(y[ours]), np.bincount(theirs))


def test_the_smallest_class_that_can_be_split_has_three_rows():
    y = np.array([0] * 50 + [1] * 3)
    found = split(y)
    assert [int((y[part] == 1).sum()) for part in (found.train, found.val, found.test)] == [1, 1, 1]
    with pytest.raises(DataError, match=r"here: too few rows of class 'c1' \(2\).*at least 3 rows"):
        split(np.array([0] * 50 + [1] * 2))


def test_one_class_is_no_problem_to_classify():
    with pytest.raises(DataError, match="only one class, 'c0', in 9 rows"):
        split(np.zeros(9, dtype=np.int64))


def test_the_seed_decides_and_the_same_seed_decides_alike():
    y = np.repeat([0, 1], [90, 10])
    np.testing.assert_array_equal(split(y, 3).test, split(y, 3).test)
    assert set(split(y, 3).test) != set(split(y, 4).test)
    assert np.abs(np.diff(y[split(y).train])).sum() > 5  # not class by class


@pytest.mark.parametrize(
    ("fractions", "message"),
    [
        ((0, 0.2), "data.val_fraction=0 must be a number between 0 and 1"),
        ((0.2, 1.0), "data.test_fraction=1.0"),
        ((0.5, 0.5), "leave no row to train on"),
        (("a", 0.2), "data.val_fraction='a'"),
        ((float("nan"), 0.2), "data.val_fraction=nan"),
    ],
)
def test_wrong_fractions_are_named_by_their_key(fractions, message):
    with pytest.raises(DataError, match=message):
        split(np.repeat([0, 1], 10), 0, *fractions)


def test_a_seed_is_a_whole_number_of_32_bits():
    for seed in (-1, 2**32, 1.5, True, "1"):
        with pytest.raises(DataError, match=r"data\.seed="):
            split(np.repeat([0, 1], 10), seed)


def test_a_two_way_split_takes_the_validation_share_of_each_class():
    y = np.repeat([0, 1], [80, 20])
    train, val = two_way(y, names(2), val_fraction=0.25, seed=0, source="here")
    assert np.bincount(y[train]).tolist() == [60, 15]
    assert np.bincount(y[val]).tolist() == [20, 5]


def test_a_subset_keeps_the_proportions():
    y = np.repeat([0, 1], [80, 20])
    rows = stratified_subset(y, 50, 2, seed=0)
    assert np.bincount(y[rows]).tolist() == [40, 10]
    np.testing.assert_array_equal(stratified_subset(y, 100, 2, seed=0), np.arange(100))
