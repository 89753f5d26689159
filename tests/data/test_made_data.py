"""The made data sets have the geometry that their documentation states."""

import numpy as np
import pytest
from scipy.spatial import cKDTree
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score

from src.data.classification import classification
from src.data.errors import DataError
from src.data.simulated import simulated


def everything(data):
    """All rows on their original scale, and their labels."""
    x = np.vstack([data.x_train, data.x_val, data.x_test])
    y = np.concatenate([data.y_train, data.y_val, data.y_test])
    return data.preprocessing.inverse_transform(x), y


def test_simulated_has_five_percent_minority_in_every_split():
    data = simulated(seed=1)
    for y in (data.y_train, data.y_val, data.y_test):
        assert np.mean(y == 1) == pytest.approx(0.05)
    assert data.class_names == ("majority", "minority")
    assert data.class_counts == (3420, 180)


@pytest.fixture(scope="module")
def large():
    return everything(simulated(seed=0, n_samples=40_000, hard_fraction=0.1))


def test_simulated_minority_is_a_standard_normal_and_noise_carries_nothing(large):
    x, y = large
    minority = x[y == 1]
    np.testing.assert_allclose(minority.mean(axis=0), 0, atol=0.1)
    np.testing.assert_allclose(np.cov(minority.T), np.eye(10), atol=0.12)
    np.testing.assert_allclose(x[y == 0][:, 5:].mean(axis=0), 0, atol=0.03)
    np.testing.assert_allclose(x[y == 0][:, 5:].std(axis=0), 1, atol=0.03)


def test_simulated_majority_is_easy_and_far_but_for_the_stated_hard_share(large):
    x, y = large
    along = x[y == 0][:, :5].sum(axis=1) / np.sqrt(5)
    easy = along > 5
    # Phi(-3) of the easy mass at 8 falls below 5; of the hard mass N(0, 2) 0.6 % lies above.
    assert np.mean(~easy) == pytest.approx(0.1, abs=0.004)
    assert along[easy].mean() == pytest.approx(8, abs=0.05)
    hard = x[y == 0][~easy][:, :5]
    np.testing.assert_allclose(hard.std(axis=0), 2, atol=0.12)


def test_simulated_classes_cannot_be_told_by_a_line_but_by_the_right_curve():
    data = simulated(seed=0, n_samples=30_000)
    linear = LogisticRegression(max_iter=1000).fit(data.x_train, data.y_train)
    line = f1_score(data.y_test, linear.predict(data.x_test), average="macro")
    x = data.preprocessing.inverse_transform(data.x_test)[:, :5]
    square = (x**2).sum(axis=1)
    # Bayes: 0.05 N(0, I) against 0.095 N(0, 4 I), the easy mass being far away.
    log_odds = np.log(0.05 / 0.095) + 5 * np.log(2) - square / 2 * (1 - 1 / 4)
    best = f1_score(data.y_test, log_odds > 0, average="macro")
    assert line < 0.6
    assert 0.85 < best < 0.92


def test_simulated_with_four_classes_puts_each_minority_on_an_axis_of_its_own():
    x, y = everything(simulated(seed=0, n_samples=20_000, n_classes=4))
    for k in (1, 2, 3):
        assert np.mean(y == k) == pytest.approx(0.05)
        np.testing.assert_allclose(x[y == k][:, :5].mean(axis=0), 6 * np.eye(5)[k - 1], atol=0.15)


def test_samples_of_a_problem_are_disjoint_rows_of_one_call_of_scikit_learns_function():
    sizes = {"n_features": 100, "n_informative": 10, "n_redundant": 4, "flip_y": 0}
    x, y = make_classification(50_000, weights=[0.9, 0.1], shuffle=False, random_state=3, **sizes)
    pool, seen = cKDTree(x[:, :6]), []
    for seed in range(3):
        data = classification(seed, problem=3, n_samples=1000, minority_fraction=0.1, **sizes)
        ours, labels = everything(data)
        distance, row = pool.query(ours[:, :6])
        assert distance.max() < 1e-4
        np.testing.assert_array_equal(labels, y[row])
        assert np.bincount(labels).tolist() == [900, 100]
        seen += row.tolist()
    assert len(set(seen)) == 3000


def test_seeds_draw_from_one_problem_and_problems_differ():
    def centroids(seed, problem):
        x, y = everything(classification(seed, problem=problem, minority_fraction=0.1, flip_y=0))
        means = np.stack([x[y == k].mean(axis=0) for k in (0, 1)])
        return means, np.stack([x[y == k].std(axis=0) / np.sqrt((y == k).sum()) for k in (0, 1)])

    (other, _), (two, _), (one, error) = centroids(0, 1), centroids(1, 0), centroids(0, 0)
    assert np.abs((one - two) / error).max() < 5.5  # of 40 differences with a deviation of sqrt(2)
    assert np.abs((one - other) / error)[:, :14].max() > 20


def test_label_noise_is_drawn_for_each_sample_from_all_classes_alike():
    clean, noisy = (
        everything(classification(0, minority_fraction=0.1, flip_y=share))[1] for share in (0, 0.4)
    )
    assert np.mean(clean == 1) == pytest.approx(0.1)
    # 40 % of the labels are drawn: 0.6 * 0.1 + 0.4 / 2
    assert np.mean(noisy == 1) == pytest.approx(0.26, abs=0.02)


def test_columns_are_standardised_by_the_training_rows_alone():
    data = simulated(seed=0)
    np.testing.assert_allclose(data.x_train.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(data.x_train.std(axis=0), 1, atol=1e-5)
    rows = data.preprocessing.inverse_transform(data.x_test)
    np.testing.assert_allclose(data.preprocessing.transform(rows), data.x_test, atol=1e-5)


@pytest.mark.parametrize("source", [simulated, classification])
def test_half_the_rows_each_is_imbalance_ratio_one(source):
    counts = source(n_samples=1000, minority_fraction=0.5).class_counts
    assert counts[0] == pytest.approx(counts[1], abs=10)


BOTH = [
    ({"minority_fraction": 0}, "data.minority_fraction=0"),
    ({"minority_fraction": 0.51}, "must be at most 0.5"),
    ({"n_classes": 3, "minority_fraction": 0.4}, "must be at most 0.333"),
    ({"n_classes": 1}, "data.n_classes=1 must be greater than or equal to 2"),
    ({"n_samples": 20}, "too few rows of class 'minority'"),
    ({"n_samples": 100.5}, "data.n_samples=100.5"),
    ({"seed": -1}, "data.seed=-1"),
]


@pytest.mark.parametrize(
    ("source", "changes", "message"),
    [
        *((source, *wrong) for wrong in BOTH for source in (simulated, classification)),
        (simulated, {"n_noise": 10}, "data.n_features - data.n_noise gives 0"),
        (simulated, {"n_classes": 8}, "needs 7 informative columns"),
        (simulated, {"hard_spread": 0}, "data.hard_spread=0 must be greater than 0"),
        (simulated, {"hard_fraction": 1.0}, "data.hard_fraction=1.0"),
        (simulated, {"easy_distance": float("nan")}, "data.easy_distance=nan"),
        (classification, {"n_informative": 18}, "data.n_features=20 must be at least 22"),
        (classification, {"n_informative": 1}, "gives 2 corners"),
        (classification, {"flip_y": 2}, "data.flip_y=2"),
        (classification, {"class_sep": -1}, "data.class_sep=-1"),
    ],
)
def test_wrong_values_are_named_by_their_key(source, changes, message):
    with pytest.raises(DataError, match=message):
        source(**changes)
