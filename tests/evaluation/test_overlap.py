"""How much the rarest class lies among the others: against all distances, and where it is plain."""

import numpy as np
import pytest

from src.evaluation.overlap import class_overlap


def by_all_distances(x, y, k):
    rows = [*dict.fromkeys(map(tuple, np.column_stack([x, y])))]
    x, y = np.array([row[:-1] for row in rows]), np.array([row[-1] for row in rows])
    labels, counts = np.unique(y, return_counts=True)
    shares = []
    for i in np.flatnonzero(y == labels[counts.argmin()]):
        distances = ((x - x[i]) ** 2).sum(axis=1)
        distances[i] = np.inf
        shares.append(np.mean(y[np.argsort(distances, kind="stable")[:k]] != y[i]))
    return np.mean(shares)


@pytest.mark.parametrize("k", [1, 5])
@pytest.mark.parametrize("columns", [2, 30])
def test_it_is_the_share_of_other_classes_among_the_nearest_rows(columns, k):
    rng = np.random.default_rng(columns)
    y = rng.choice(3, 300, p=[0.6, 0.3, 0.1])
    x = rng.normal(size=(300, columns)) + y[:, None]
    x, y = np.concatenate([x, x[:100]]), np.concatenate([y, y[:100]])
    assert class_overlap(x, y, k) == pytest.approx(by_all_distances(x, y, k))


def test_a_class_by_itself_has_none_and_random_labels_have_as_much_as_the_others_have_rows():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(4000, 3)), (rng.random(4000) < 0.1).astype(int)
    assert class_overlap(x + 100 * y[:, None], y) == 0
    assert class_overlap(x, y) == pytest.approx(0.9, abs=0.02)
    assert np.isnan(class_overlap(x, np.zeros(4000, int)))


def test_copies_of_a_row_say_nothing_and_a_row_of_the_other_class_in_the_same_place_does():
    x, y = np.repeat([[0.0], [1.0], [2.0]], [20, 20, 5], axis=0), np.repeat([0, 0, 1], [20, 20, 5])
    assert class_overlap(x, y) == 1
    assert class_overlap(np.zeros((2, 1)), np.array([0, 1])) == 1


def test_a_draw_of_a_large_class_is_close_to_all_of_it_and_the_same_each_time():
    rng = np.random.default_rng(1)
    y = rng.integers(2, size=3000)
    x = rng.normal(size=(3000, 4)) + y[:, None]
    whole = class_overlap(x, y)
    drawn = class_overlap(x, y, most=500)
    assert drawn == class_overlap(x, y, most=500) != whole
    assert drawn == pytest.approx(whole, abs=0.04)
