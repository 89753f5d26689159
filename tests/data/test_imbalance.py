"""The imbalance profiles follow their formulae."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from src.data.errors import DataError
from src.data.imbalance import imbalance

TEN = tuple("0123456789")


def test_step_gives_the_named_classes_one_in_ratio():
    profile = imbalance("step", 10, [7, "8"], TEN)
    targets = profile.targets(np.full(10, 100))
    assert targets.tolist() == [100] * 7 + [10, 10, 100]


def test_longtail_is_the_exponential_of_cui_and_cao():
    targets = imbalance("longtail", 100, (), TEN).targets(np.full(10, 5000))
    expected = [round(5000 * 100 ** (-k / 9)) for k in range(10)]
    assert targets.tolist() == expected
    assert targets[0] / targets[-1] == 100


def test_longtail_puts_the_named_classes_at_the_end_of_the_tail():
    targets = imbalance("longtail", 100, ["2", 0], TEN).targets(np.full(10, 1000))
    assert np.argsort(-targets).tolist() == [1, 3, 4, 5, 6, 7, 8, 9, 2, 0]


@given(
    counts=st.lists(st.integers(1, 500), min_size=3, max_size=8),
    ratio=st.floats(1, 1e4),
    profile=st.sampled_from(["none", "step", "longtail"]),
)
@settings(max_examples=60, derandomize=True, deadline=None)
def test_thinning_reaches_the_targets_and_never_loses_a_class(counts, ratio, profile):
    y = np.repeat(np.arange(len(counts)), counts)
    chosen = imbalance(profile, ratio, [1], tuple(map(str, range(len(counts)))))
    rows = chosen.thin(y, np.arange(len(y)), seed=0)
    wanted = np.maximum(chosen.targets(np.array(counts)), 1)
    assert len(set(rows.tolist())) == len(rows)
    assert np.bincount(y[rows]).tolist() == wanted.tolist()


def test_a_ratio_of_one_leaves_a_balanced_set_alone():
    y = np.repeat(np.arange(10), 20)
    for profile in ("step", "longtail"):
        rows = imbalance(profile, 1, [9], TEN).thin(y, np.arange(200), seed=1)
        np.testing.assert_array_equal(rows, np.arange(200))


def test_a_ratio_that_leaves_nothing_to_train_on_says_which_would_do():
    y = np.repeat(np.arange(10), 100)
    imbalance("step", 100, [9], TEN).check_training_rows(y, TEN)
    with pytest.raises(DataError, match=r"no training row of '9'.*the ratio can be 100 at most"):
        imbalance("step", 300, [9], TEN).check_training_rows(y, TEN)


@pytest.mark.parametrize(
    ("profile", "ratio", "rare", "message"),
    [
        ("longtial", 10, [], "data.profile='longtial'.*Did you mean 'longtail'"),
        ("step", 0.5, [1], "data.imbalance_ratio=0.5 must be a finite number, at least 1"),
        ("step", float("nan"), [1], "data.imbalance_ratio=nan"),
        ("step", float("inf"), [1], "data.imbalance_ratio=inf"),
        ("step", 10, [], "at least one class"),
        ("step", 10, range(10), "not all 10"),
        ("step", 10, [10], "data.rare_classes has 10; right are numbers from 0 to 9"),
        ("step", 10, [-1], "data.rare_classes has -1"),
        ("step", 10, [3, "3"], "twice"),
        ("step", 10, "89", r"must be a list, such as \[8, 9\]"),
    ],
)
def test_wrong_values_are_named_by_their_key(profile, ratio, rare, message):
    with pytest.raises(DataError, match=message):
        imbalance(profile, ratio, rare, TEN)


def test_a_misspelt_class_gets_the_close_match():
    with pytest.raises(DataError, match="Did you mean 'Sneaker'"):
        imbalance("step", 10, ["Sneakers"], ("Sandal", "Sneaker", "Bag"))
