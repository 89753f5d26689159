"""Digits are scikit-learn's, made imbalanced where asked."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from src.data.digits import digits
from src.data.errors import DataError


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


def test_step_makes_seven_eight_and_nine_rare_in_training_and_validation_only():
    data = digits(seed=0)
    assert all(counts(data.y_train)[k] == 11 for k in (7, 8, 9))
    assert counts(data.y_train)[:7].min() > 100
    assert all(counts(data.y_val)[k] == 4 for k in (7, 8, 9))
    assert counts(data.y_test).min() >= 34


def test_the_test_split_follows_the_profile_where_asked():
    data = digits(seed=0, imbalance_test=True)
    assert all(counts(data.y_test)[k] == 4 for k in (7, 8, 9))


def test_thinning_leaves_the_test_rows_as_they_were():
    np.testing.assert_array_equal(digits(seed=3).x_test, digits(seed=3, profile="none").x_test)


def test_longtail_falls_from_zero_to_nine():
    falling = counts(digits(profile="longtail", rare_classes=()).y_train)
    assert (np.diff(falling) < 0).all()
    assert falling[0] / falling[-1] == pytest.approx(10, rel=0.1)


def test_a_ratio_too_large_for_so_few_rows_is_refused():
    with pytest.raises(DataError, match=r"data\.imbalance_ratio=1000 leaves no training row"):
        digits(imbalance_ratio=1000)
