"""Verdicts: what the interval says with one comparison, and what is left of it with several."""

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from src.analysis.statistics.design import Design
from src.analysis.statistics.estimate import Components, Estimate, estimate
from src.analysis.statistics.verdict import correct, holm, p_values


def mean_with_half_width(mean, half_width, df=9):
    error = half_width / stats.t.ppf(0.975, df)
    nan, n = float("nan"), df + 1
    return Estimate(mean, error, df, 0.0, nan, n, n, Components(n * error**2, 0.0, 1.0, n, n))


def by_interval(found, threshold):
    """The verdict in the words of the rule."""
    if found.low >= threshold:
        return "gain"
    if found.high <= -threshold:
        return "loss"
    if found.low > 0 or found.high < 0:
        return "better" if found.low > 0 else "worse"
    within = -threshold <= found.low and found.high <= threshold
    return "equivalent" if within else "undecided"


def test_one_comparison_has_the_verdict_of_its_interval():
    rng = np.random.default_rng(0)
    seen = []
    for _ in range(3000):
        found = mean_with_half_width(rng.normal(0, 3), rng.exponential(1.5))
        verdict = p_values(found, 2.0).verdict(found.mean)
        assert verdict == by_interval(found, 2.0), found
        seen.append(verdict)
    assert min(np.unique(seen, return_counts=True)[1]) > 50
    assert len(set(seen)) == 6


def test_equivalence_is_two_one_sided_tests_each_at_the_intervals_level():
    values = [1.2, -0.7, 0.4, 1.9, 0.1, 0.8]
    below = stats.ttest_1samp(values, -2, alternative="greater").pvalue
    above = stats.ttest_1samp(values, 2, alternative="less").pvalue
    p = p_values(estimate(values, list("abcdef"), Design()), 2.0)
    assert p.equivalent == pytest.approx(2 * max(below, above))
    assert p.equivalent == pytest.approx(2 * 0.0066027518715695)  # statsmodels 0.15: ttost_mean
    assert (p.gain, p.loss) == (1.0, 1.0)
    assert p.zero == pytest.approx(0.15487217524968783)  # and ttest_mean


def test_holm_is_that_of_statsmodels():
    for count in (1, 2, 9):
        p = np.random.default_rng(count).random(count) ** 3
        assert holm(p) == pytest.approx(multipletests(p, method="holm")[1])


def test_correction_makes_verdicts_weaker_and_rarely_wrong():
    """Eight comparisons without a difference: one verdict too many in at most 5 % of families."""
    rng = np.random.default_rng(2)
    wrong = []
    for _ in range(600):
        family = [estimate(rng.normal(0, 3, 10), list("abcdefghij"), Design()) for _ in "12345678"]
        plain = [p_values(found, 2.0) for found in family]
        for several in (plain, correct(plain)):
            said = [p.verdict(found.mean) for p, found in zip(several, family, strict=True)]
            wrong.append(bool({"better", "worse", "gain", "loss"} & set(said)))
    assert np.mean(wrong[1::2]) < 0.075  # corrected: 5 %, and 2.8 standard errors
    assert np.mean(wrong[::2]) > 0.25
