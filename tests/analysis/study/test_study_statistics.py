"""Statistics over data sets: against published analyses, other libraries, and simulated truth."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

from src.analysis.statistics.design import Design
from src.analysis.statistics.estimate import estimate
from src.analysis.study.families import mean_over_families, slope_over_families
from src.analysis.study.posterior import sample
from src.analysis.study.ranks import rank

FAMILY = np.array([0] * 19 + list(range(1, 25)) * 2 + list(range(1, 20)))
"""Of 86 sets: one family has 19 of them, as ecoli has."""


# --- means and slopes over families -------------------------------------------------------------
def simulated(random, *, effect=1.0, slope=0.5):
    """Values and a factor of 86 sets: families of unlike spread, sets of unlike noise."""
    of_family = random.normal(0, 1, 25) * random.choice([0.5, 3], 25)
    factor = random.normal(0, 1, 25)[FAMILY] + random.normal(0, 0.7, len(FAMILY))
    noise = random.normal(0, 1, len(FAMILY)) * random.choice([0.5, 4], len(FAMILY))
    return effect + slope * factor + of_family[FAMILY] + noise, factor


def test_the_mean_is_a_t_test_of_the_families_means():
    values, _ = simulated(np.random.default_rng(0))
    found = mean_over_families(values, FAMILY)
    means = pd.Series(values).groupby(FAMILY).mean()
    by_scipy = stats.ttest_1samp(means, 0)
    assert found.value == pytest.approx(means.mean())
    assert (found.low, found.high) == pytest.approx(tuple(by_scipy.confidence_interval()))
    assert found.p == pytest.approx(by_scipy.pvalue)


def test_the_slope_is_that_of_weighted_least_squares_and_its_error_near_the_sandwich():
    values, factor = simulated(np.random.default_rng(1))
    found = slope_over_families(values, factor, FAMILY)
    weights = 1 / np.bincount(FAMILY)[FAMILY]
    fit = sm.WLS(values, sm.add_constant(factor), weights=weights).fit(
        cov_type="cluster", cov_kwds={"groups": FAMILY}, use_t=True
    )
    assert found.value == pytest.approx(fit.params[1])
    low, high = fit.conf_int()[1]
    assert found.high - found.low == pytest.approx(high - low, rel=0.25)


def test_intervals_hold_the_truth_and_counting_sets_as_independent_does_not():
    random = np.random.default_rng(2)
    held = []
    for _ in range(700):
        values, factor = simulated(random)
        mean = mean_over_families(values - 0.5 * factor, FAMILY)
        slope = slope_over_families(values, factor, FAMILY)
        single = stats.ttest_1samp(values - 0.5 * factor, 0).confidence_interval()
        ends = (
            (mean.low, 1.0, mean.high),
            (slope.low, 0.5, slope.high),
            (single.low, 1.0, single.high),
        )
        held.append([low <= truth <= high for low, truth, high in ends])
    of_mean, of_slope, of_sets = np.mean(held, axis=0)
    assert 0.93 <= of_mean <= 0.97
    assert 0.93 <= of_slope <= 0.97
    assert of_sets < 0.85


# --- ranks --------------------------------------------------------------------------------------
C45 = """.763 .768 .771 .798  .599 .591 .590 .569  .954 .971 .968 .967  .628 .661 .654 .657
.882 .888 .886 .898  .936 .931 .916 .931  .661 .668 .609 .685  .583 .583 .563 .625
.775 .838 .866 .875  1 1 1 1  .940 .962 .965 .962  .619 .666 .614 .669
.972 .981 .975 .975  .957 .978 .946 .970"""
"""AUC of four variants of C4.5 on 14 data sets: Demsar 2006, Table 6."""


def test_ranks_are_those_of_demsars_example():
    names = ["C4.5", "m", "cf", "m+cf"]
    scores = pd.DataFrame(np.array(C45.split(), float).reshape(14, 4), columns=names)
    found = rank(scores, "C4.5")
    assert found.ranks["C4.5"] == pytest.approx(3.143, abs=5e-4)  # published
    assert found.ranks["m"] == pytest.approx(2.000, abs=5e-4)
    assert (found.nemenyi.loc["C4.5"] < 0.10).to_dict() == {  # his Figure 1(a), at 10 %
        "C4.5": False,
        "m": True,
        "cf": False,
        "m+cf": True,
    }
    assert (found.nemenyi.to_numpy() > 0.05).all()  # and none at 5 %
    raw = [stats.wilcoxon(scores[name] - scores["C4.5"]).pvalue for name in names[1:]]
    smallest = min(found.wilcoxon)
    assert smallest == pytest.approx(3 * min(raw))  # Holm
    assert found.p == pytest.approx(stats.friedmanchisquare(*scores.T.to_numpy()).pvalue)


def test_methods_that_are_alike_are_not_told_apart():
    alike = pd.DataFrame({name: [0.5, 0.6, 0.7] for name in "abc"})
    assert set(rank(alike, "a").wilcoxon) == {1.0}


# --- the next data set --------------------------------------------------------------------------
MEANS = """2.25 1.75 -1.39 1.72 -15.17 -1.33 -0.15 -1.75 10.59 0.61 1.84 -11.46 0.29 -3.06 1.86
0.44 0.75 2.08 -1.27 4.56 4.00 -0.23 0.47 3.58 25.36 1.61 4.20 3.95 4.04 3.30 2.75
9.95 -0.69 -3.00 0.65 5.32 3.02 0.84 3.50 -0.58 2.48 2.45 2.59 0.71 -1.57 9.73 -2.39
25.82 4.91 12.98 -1.12 -0.83 0.12 5.62"""
SPREADS = """1.95 4.66 3.71 3.11 27.84 2.98 3.31 3.57 6.33 2.82 8.28 10.53 6.69 4.31 5.47 4.18
0.56 3.86 4.80 1.38 10.49 2.29 5.67 3.62 4.26 2.25 0.73 0.67 0.78 0.92 19.79 1.01
3.84 8.63 3.71 1.73 4.02 3.60 3.43 5.84 2.49 0.90 4.75 0.51 20.34 20.23 5.39 5.85
1.44 14.67 3.09 1.58 1.51 6.90"""
"""Accuracy of hidden naive Bayes minus that of naive Bayes on 54 UCI sets, per cent: mean and
standard deviation over ten times tenfold cross-validation, from the data that Benavoli et al. 2017
publish with "Time for a Change" (JMLR 18)."""


def numbers(text):
    return np.array(text.split(), float)


def winners(shares):
    """How probable it is that each outcome is the one of most data sets, as baycomp puts it."""
    return np.bincount(shares.argmax(axis=1), minlength=3) / len(shares)


def test_the_hierarchical_posterior_is_that_of_corani_and_others():
    """Published, by Stan: P(NBC > HNB) 0, P(rope) 0.002, P(HNB > NBC) 0.998; samples of shares."""
    error = numbers(SPREADS) * np.sqrt(1 / 100 + (1 / 10) / (1 - 1 / 10))
    posterior = sample(numbers(MEANS), error, [99] * 54, draws=4000)
    shares = posterior.shares(1.0)
    assert winners(shares) == pytest.approx([0.0, 0.002, 0.998], abs=0.004)
    assert shares.mean(axis=0) == pytest.approx([0.176, 0.194, 0.630], abs=0.045)
    next_sets = posterior.next_sets()
    of_next = [(next_sets < -1).mean(), (abs(next_sets) <= 1).mean(), (next_sets > 1).mean()]
    assert of_next == pytest.approx(shares.mean(axis=0), abs=0.02)


def test_without_noise_the_posterior_agrees_with_baycomps_sign_test():
    """baycomp 1.0.3, ``SignTest(0, y, rope=2)``: needs no Stan, and knows of no noise."""
    y = np.round(1.2 + 2 * np.random.default_rng(5).standard_t(3, 60), 1)
    shares = sample(y, [0.05] * 60, [50] * 60, draws=2000).shares(2.0)
    low, high = np.array([0.049, 0.499, 0.161]), np.array([0.203, 0.738, 0.379])
    assert ((low < shares.mean(axis=0)) & (shares.mean(axis=0) < high)).all()
    assert winners(shares) == pytest.approx([0.0, 0.999, 0.001], abs=0.04)


def test_the_next_set_of_a_new_family_is_foreseen_as_well_as_it_says():
    random = np.random.default_rng(3)
    mu, phi, tau, nu = 0.8, 1.5, 1.0, 4
    t = random.standard_t
    new = mu + phi * t(nu, 200_000) + tau * t(nu, 200_000)
    truth = np.array([(new < -2).mean(), (abs(new) <= 2).mean(), (new > 2).mean()])
    held, alone, means = [], [], []
    for round_ in range(20):
        true = mu + phi * t(nu, 25)[FAMILY] + tau * t(nu, len(FAMILY))
        error = random.choice([0.5, 1.5], len(FAMILY))
        measured = true + error * random.standard_normal(len(FAMILY))
        seen = error * np.sqrt(random.chisquare(4, len(FAMILY)) / 4)
        for families, found in ((FAMILY, held), (None, alone)):
            posterior = sample(measured, seen, [4] * 86, families, draws=250, seed=round_)
            shares = posterior.shares(2.0)
            low, high = np.quantile(shares, (0.025, 0.975), axis=0)
            found.append((low <= truth) & (truth <= high))
            means += [shares.mean(axis=0)] if families is not None else []
    assert 0.88 <= np.mean(held) <= 1.0
    assert np.mean(alone) < np.mean(held) - 0.08
    assert np.mean(means, axis=0) == pytest.approx(truth, abs=0.04)


def test_sets_on_which_two_methods_tie_do_not_hide_that_the_others_differ():
    """Scores that move by rows, and a share of sets on which both methods say the same."""
    random = np.random.default_rng(4)
    mu, phi, tau, nu, tied = -1.0, 1.5, 1.5, 4, 0.12
    t, count = random.standard_t, len(FAMILY)
    new = (mu + phi * t(nu, 200_000) + tau * t(nu, 200_000)) * (random.random(200_000) >= tied)
    truth = np.array([(new < -2).mean(), (abs(new) <= 2).mean(), (new > 2).mean()])
    held, inside, without = [], [], []
    for round_ in range(12):
        step = 50 / np.exp(random.uniform(np.log(3), np.log(80), count))  # one row, one seed
        spread = 5 * np.sqrt(step / 5)
        true = mu + phi * t(nu, 25)[FAMILY] + tau * t(nu, count)
        split = np.repeat(random.standard_normal((count, 5)), 2, axis=1)
        seeds = true[:, None] + spread[:, None] * (split + random.standard_normal((count, 10)))
        seeds = np.round(seeds / step[:, None]) * step[:, None]
        seeds[random.random(count) < tied] = 0
        splits = [str(seed // 2) for seed in range(10)]
        found = [estimate(row, splits, Design("table", test_share=0.25)) for row in seeds]
        columns = zip(*((one.mean, one.standard_error, one.df) for one in found), strict=True)
        arguments = [*map(np.array, columns), FAMILY]
        for steps, ranges in ((step / 10, inside), (None, without)):
            posterior = sample(*arguments, steps=steps, draws=250, seed=round_)
            low, high = np.quantile(posterior.next_sets(), (0.025, 0.975))
            ranges.append(((low <= new) & (new <= high)).mean())
            if steps is not None:
                low, high = np.quantile(posterior.shares(2.0), (0.025, 0.975), axis=0)
                held.append((low <= truth) & (truth <= high))
    assert np.mean(held) >= 0.85
    assert 0.9 <= np.mean(inside) <= 0.98
    assert np.mean(without) < np.mean(inside) - 0.1
