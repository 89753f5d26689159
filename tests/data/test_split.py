"""Splits are stratified, complete, seeded, and never lose a class."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import train_test_split

from src.data.splitting.split import stratified_split, stratified_subset


def split(y, seed=0, val=0.2, test=0.2):
    names = tuple(f"c{i}" for i in range(y.max() + 1))
    return stratified_split(y, names, "here", seed, val_fraction=val, test_fraction=test)


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
    np.testing.assert_array_equal(np.sort(np.concatenate(found)), np.arange(len(y)))
    for part in found:
        assert np.bincount(y[part], minlength=len(counts)).min() >= 1
    for part, fraction in zip(found[1:], (val, test), strict=True):
        got = np.bincount(y[part], minlength=len(counts))
        assert np.abs(got - np.array(counts) * fraction).max() <= 1.0


def test_class_counts_agree_with_scikit_learns_stratified_split():
    y = np.repeat([0, 1, 2], [700, 200, 100])
    rest, test = train_test_split(y, test_size=0.2, stratify=y, random_state=0)
    train, val = train_test_split(rest, test_size=0.25, stratify=rest, random_state=0)
    for ours, theirs in zip(split(y), (train, val, test), strict=True):
        np.testing.assert_array_equal(np.bincount(y[ours]), np.bincount(theirs))


def test_a_subset_keeps_the_proportions():
    y = np.repeat([0, 1], [80, 20])
    rows = stratified_subset(y, 50, 2, seed=0)
    assert np.bincount(y[rows]).tolist() == [40, 10]
    np.testing.assert_array_equal(stratified_subset(y, 100, 2, seed=0), np.arange(100))
