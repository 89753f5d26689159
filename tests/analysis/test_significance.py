"""Interval, test and correction against scipy, by definition, and by counting."""

import itertools

import numpy as np
import pytest
from scipy import stats

from src.analysis.statistics.significance import (
    holm,
    interval,
    least_seeds,
    seeds_needed,
    wilcoxon_p,
)


def test_interval_of_many_normal_differences_is_near_the_t_interval():
    values = np.random.default_rng(4).normal(1, 2, 200)
    low, high = interval(values)
    t_low, t_high = stats.t.interval(0.95, 199, values.mean(), stats.sem(values))
    assert (low, high) == pytest.approx((t_low, t_high), abs=0.05)


def test_p_is_the_share_of_sign_flips_with_as_extreme_a_rank_sum():
    values = np.array([3.1, -0.4, 2.2, 5.0, 1.7, -1.1, 4.4])
    ranks = stats.rankdata(np.abs(values))
    centre = ranks.sum() / 2
    seen = abs(ranks[values > 0].sum() - centre)
    sums = [
        abs(sum(itertools.compress(ranks, signs)) - centre)
        for signs in itertools.product((0, 1), repeat=len(values))
    ]
    assert wilcoxon_p(values) == pytest.approx(np.mean(np.array(sums) >= seen - 1e-9))


def test_p_is_scipys_with_ties_that_rounding_would_break():
    values = [0.3, 0.1 + 0.2, -0.3, 1.0, 2.0, 0.7, 0.9, 1.1]
    assert wilcoxon_p(values) == stats.wilcoxon(np.round(values, 9)).pvalue
    assert wilcoxon_p([0.0, 0.0, 0.0]) == 1.0


def test_holm_is_the_largest_of_the_smaller_ones_each_times_those_left():
    rng = np.random.default_rng(0)
    for count in (1, 2, 5, 9):
        p = rng.random(count) ** 3
        expected = [
            min(
                1.0,
                max((count - int((p < other).sum())) * other for other in p if other <= value),
            )
            for value in p
        ]
        assert holm(p) == pytest.approx(expected)


def test_six_seeds_are_the_fewest_that_wilcoxon_can_be_sure_with():
    assert least_seeds() == 6
    assert stats.wilcoxon(np.arange(1.0, 6.0)).pvalue > 0.05
    assert stats.wilcoxon(np.arange(1.0, 7.0)).pvalue < 0.05
    for comparisons in (1, 2, 3, 10, 50):
        seeds = least_seeds(comparisons)
        ones = np.arange(1.0, seeds + 1)
        assert comparisons * stats.wilcoxon(ones, method="exact").pvalue < 0.05
        assert comparisons * stats.wilcoxon(ones[:-1], method="exact").pvalue >= 0.05


def test_seeds_needed_make_the_t_interval_narrower_than_the_mean():
    values = np.random.default_rng(1).normal(1.0, 2.0, 8)
    needed = seeds_needed(values)
    half = [
        stats.t.ppf(0.975, count - 1) * values.std(ddof=1) / np.sqrt(count)
        for count in (needed - 1, needed)
    ]
    assert half[0] >= abs(values.mean()) > half[1]
    assert seeds_needed([5.0, 5.1, 4.9]) == 6
    assert seeds_needed([1.0]) == 6
    assert seeds_needed([1.0, -1.0]) is None
    assert seeds_needed([10.0, -9.9]) is None
