"""The paired comparison: numbers against scipy and by hand, verdicts by the rule in words."""

import math

import numpy as np
import pytest
from scipy import stats

from src.analysis.paired import compare, interval
from src.analysis.runs import FinishedRun
from src.errors import UserError


def run(label: str, seed: int, score: float, **changes) -> FinishedRun:
    facts = {
        "run_id": f"{label}-{seed}",
        "loss": label.partition("(")[0],
        "label": label,
        "seed": seed,
        "setting": "one",
        "place": "simulated, mlp",
        "fingerprint": f"split-{seed}",
        "score": score,
        "ended_ms": 1,
        "metrics": {},
    }
    return FinishedRun(**{**facts, **changes})


def paired_runs(gains, base=0.60, loss="focal(gamma=2)"):
    baseline = [run("ce", seed, base + 0.01 * seed) for seed in range(len(gains))]
    others = [run(loss, seed, base + 0.01 * seed + gain / 100) for seed, gain in enumerate(gains)]
    return baseline + others


def test_difference_is_paired_by_seed_in_percentage_points():
    (found,) = compare(paired_runs([3.0, 5.0, 1.0, 7.0]))
    assert found.seeds == (0, 1, 2, 3)
    assert found.differences == pytest.approx((3.0, 5.0, 1.0, 7.0))
    assert found.mean == pytest.approx(4.0)
    assert found.wins_ties_losses == (4, 0, 0)


def test_interval_is_scipys_bca_bootstrap_and_the_same_each_time():
    values = np.random.default_rng(3).normal(2, 3, 12)
    expected = stats.bootstrap(
        (values,), np.mean, n_resamples=9999, method="BCa", rng=np.random.default_rng(0)
    ).confidence_interval
    assert interval(values) == (expected.low, expected.high)
    assert interval(values) == interval(values)


def test_interval_of_many_normal_differences_is_near_the_t_interval():
    values = np.random.default_rng(4).normal(1, 2, 200)
    low, high = interval(values)
    t_low, t_high = stats.t.interval(0.95, 199, values.mean(), stats.sem(values))
    assert (low, high) == pytest.approx((t_low, t_high), abs=0.05)


@pytest.mark.parametrize(
    ("gains", "verdict"),
    [
        ([4.0, 5.0, 3.0, 4.5, 3.5], "PASS"),
        ([1.5, 1.4, 1.6, 1.5, 1.5], "FAIL"),  # sure, but less than the threshold
        ([20.0, -8.0, 15.0, -9.0, 2.0], "FAIL"),  # enough on average, but unsure
        ([-4.0, -5.0, -3.0, -4.5, -3.5], "FAIL"),
    ],
)
def test_verdict_needs_a_large_gain_and_an_interval_above_zero(gains, verdict):
    (found,) = compare(paired_runs(gains))
    assert found.verdict == verdict
    assert found.sentence.endswith(f"{verdict} at 2 pp")


def test_sentence_says_who_beats_whom():
    beats, unsure, loses = (
        compare(paired_runs(gains))[0].sentence
        for gains in ([3.0, 4.0, 5.0], [3.0, -4.0, 1.0, -2.0], [-3.0, -4.0, -5.0])
    )
    assert beats.startswith("focal(gamma=2) beats ce by 4.0 pp [")
    assert unsure.startswith("focal(gamma=2) cannot be told from ce (-0.5 pp) [")
    assert loses.startswith("focal(gamma=2) loses to ce by 4.0 pp [")


def test_one_seed_passes_nothing():
    (found,) = compare(paired_runs([9.0]))
    assert not found.passed
    assert math.isnan(found.low)
    assert "one seed tells nothing" in found.sentence


def test_equal_scores_are_ties_with_an_interval_of_no_width():
    (found,) = compare(paired_runs([0.0, 0.0, 0.0]))
    assert found.wins_ties_losses == (0, 3, 0)
    assert (found.low, found.high) == (0.0, 0.0)


def test_seeds_without_a_pair_are_named_and_left_out():
    runs = [*paired_runs([3.0, 4.0]), run("ce", 7, 0.5), run("focal(gamma=2)", 9, 0.9)]
    (found,) = compare(runs)
    assert found.seeds == (0, 1)
    assert found.unpaired == (7, 9)


def test_of_runs_trained_twice_the_last_counts():
    again = run("focal(gamma=2)", 0, 0.99, ended_ms=5, run_id="again")
    (found,) = compare([again, *paired_runs([1.0, 1.0])])
    assert found.scores[0] == 0.99


def test_settings_are_compared_each_on_its_own():
    elsewhere = [
        run(label, seed, score, setting="two", place="digits, cnn")
        for label, score in (("ce", 0.8), ("focal(gamma=2)", 0.7))
        for seed in range(3)
    ]
    here, there = compare([*paired_runs([2.0, 3.0]), *elsewhere])
    assert (here.place, there.place) == ("simulated, mlp", "digits, cnn")
    assert there.mean == pytest.approx(-10.0)


def test_pairs_from_different_splits_are_refused():
    runs = paired_runs([1.0, 2.0])
    runs[0] = run("ce", 0, 0.6, fingerprint="another split")
    with pytest.raises(UserError, match=r"seed 0.*different splits"):
        compare(runs)


def test_an_absent_or_ambiguous_baseline_lists_the_losses():
    runs = paired_runs([1.0, 2.0])
    with pytest.raises(UserError, match=r"--baseline hinge: is not among.*ce, focal\(gamma=2\)"):
        compare(runs, baseline="hinge")
    more = paired_runs([1.0, 2.0], loss="focal(gamma=1)")
    with pytest.raises(UserError, match=r"--baseline focal: stands for several"):
        compare([*runs, *more], baseline="focal")
    assert compare([*runs, *more], baseline="focal(gamma=1)")
