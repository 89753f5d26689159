"""Classes are made rare by their formulae, and digits are scikit-learn's."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits

from src.data.digits import digits
from src.data.errors import DataError
from src.data.imbalance import imbalance


def counts(y):
    return np.bincount(y, minlength=10)


def test_unthinned_digits_are_all_of_scikit_learns_pixels_over_sixteen():
    data = digits(profile="none")
    assert data.input_shape == (8, 8, 1)
    rows = np.vstack([x.reshape(len(x), -1) for x in (data.x_train, data.x_val, data.x_test)])
    labels = np.concatenate([data.y_train, data.y_val, data.y_test])
    theirs, targets = load_digits(return_X_y=True)
    ours = sorted(map(tuple, np.column_stack([rows * 16, labels]).tolist()))
    assert ours == sorted(map(tuple, np.column_stack([theirs, targets]).tolist()))


def test_step_thins_training_and_validation_and_the_test_where_asked():
    data, whole = digits(seed=3), digits(seed=3, profile="none")
    for given_rows, kept, rare in ((whole.y_train, data.y_train, 11), (whole.y_val, data.y_val, 4)):
        assert counts(kept).tolist() == [*counts(given_rows)[:7], rare, rare, rare]
    np.testing.assert_array_equal(data.x_test, whole.x_test)
    thinned = digits(seed=3, imbalance_test=True)
    assert counts(thinned.y_test).tolist() == [*counts(whole.y_test)[:7], 4, 4, 4]


@pytest.mark.parametrize("rare", [(), ("2", 0)])
def test_longtail_is_the_exponential_of_cui_and_cao_with_the_named_classes_last(rare):
    """n_max * rho^(-k / (K - 1)), k-th of the classes from common to rare."""
    whole = counts(digits(profile="none").y_train)
    order = [1, 3, 4, 5, 6, 7, 8, 9, 2, 0] if rare else list(range(10))
    wanted = np.rint(whole.max() * 10 ** (-np.arange(10) / 9))
    found = counts(digits(profile="longtail", rare_classes=rare).y_train)
    np.testing.assert_array_equal(found[order], np.minimum(wanted, whole[order]))


@given(
    counts=st.lists(st.integers(1, 500), min_size=3, max_size=8),
    ratio=st.just(1.0) | st.floats(1, 1e4),
    profile=st.sampled_from(["none", "step", "longtail"]),
)
@settings(max_examples=60, derandomize=True, deadline=None)
def test_thinning_reaches_the_targets_in_order_and_never_loses_a_class(counts, ratio, profile):
    y = np.repeat(np.arange(len(counts)), counts)
    chosen = imbalance(profile, ratio, [1], tuple(map(str, range(len(counts)))))
    rows = chosen.thin(y, np.arange(len(y)), seed=0)
    wanted = np.maximum(chosen.targets(np.array(counts)), 1)
    assert (np.diff(rows) > 0).all()
    assert np.bincount(y[rows]).tolist() == wanted.tolist()
    if ratio == 1:
        assert len(rows) == len(y)


def test_a_ratio_that_leaves_nothing_to_train_on_says_which_would_do():
    message = r"data\.imbalance_ratio=1000 leaves no training row of '7', '8', '9'.* be 110 at most"
    with pytest.raises(DataError, match=message):
        digits(imbalance_ratio=1000)
    assert digits(imbalance_ratio=110).class_counts[7:] == (1, 1, 1)


@pytest.mark.parametrize(
    ("profile", "ratio", "rare", "message"),
    [
        ("longtial", 10, [], "data.profile='longtial' must be one of none, step, longtail"),
        ("step", 0.5, [1], "data.imbalance_ratio=0.5 must be greater than or equal to 1"),
        ("step", float("nan"), [1], "data.imbalance_ratio=nan"),
        ("step", float("inf"), [1], "data.imbalance_ratio=inf"),
        ("step", 10, [], "at least one class"),
        ("step", 10, range(10), "not all 10"),
        ("step", 10, [10], "data.rare_classes has 10; right are numbers from 0 to 9"),
        ("step", 10, [-1], "data.rare_classes has -1"),
        ("step", 10, [3, "3"], "twice"),
        ("step", 10, "89", r"must be a list, such as 'data.rare_classes=\[\"89\"\]'"),
        ("step", 10, ["77"], "Did you mean '7'"),
    ],
)
def test_wrong_values_are_named_by_their_key(profile, ratio, rare, message):
    with pytest.raises(DataError, match=message):
        digits(profile=profile, imbalance_ratio=ratio, rare_classes=rare)
