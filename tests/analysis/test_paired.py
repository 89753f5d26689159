"""The paired comparison: pairs and differences by hand, verdicts by the rule in words."""

import math

import pytest
from made_store import made_run as run

from src.analysis.statistics.paired import compare
from src.errors import UserError


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


@pytest.mark.parametrize(
    ("gains", "says", "verdict"),
    [
        ([4.0, 5.0, 3.0, 4.5, 3.5], "beats ce by 4.0 pp", "PASS"),
        ([1.5, 1.4, 1.6, 1.5, 1.5], "beats ce by 1.5 pp", "FAIL"),  # less than the threshold
        ([20.0, -8.0, 15.0, -9.0, 2.0], "cannot be told from ce (+4.0 pp)", "FAIL"),  # unsure
        ([3.0, -4.0, 1.0, -2.0], "cannot be told from ce (-0.5 pp)", "FAIL"),
        ([-4.0, -5.0, -3.0, -4.5, -3.5], "loses to ce by 4.0 pp", "FAIL"),
    ],
)
def test_a_verdict_needs_a_large_gain_and_an_interval_above_zero(gains, says, verdict):
    (found,) = compare(paired_runs(gains))
    assert found.verdict == verdict
    assert found.sentence.startswith(f"focal(gamma=2) {says} [")
    assert found.sentence.endswith(f"{verdict} at 2 pp")


def test_one_seed_passes_nothing():
    (found,) = compare(paired_runs([9.0]))
    assert not found.passed
    assert math.isnan(found.low)
    assert "one seed tells nothing" in found.sentence
    assert found.caution == "1 seed is too few for a claim: at least 6 would do"


def test_too_few_seeds_for_a_claim_say_how_many_would_do():
    (few,) = compare(paired_runs([3.0, 4.0, 5.0, 4.0]))
    assert few.passed  # the rule of the verdict, which asks nothing of the test
    assert few.caution == (
        "4 seeds are too few for a claim: at this mean and spread about 6 would do"
    )
    (enough,) = compare(paired_runs([3.0, 4.0, 5.0, 4.0, 3.5, 4.5]))
    assert enough.caution == ""
    (hopeless,) = compare(paired_runs([5.0, -5.0, 0.01, 0.01]))
    assert "1,000 would not either" in hopeless.caution


def test_more_comparisons_ask_for_more_seeds():
    runs = paired_runs([3.0, 4.0, 5.0, 4.0, 3.5, 4.5])
    for label in ("weighted_ce", "ldam", "asymmetric"):
        runs += [run(label, seed, 0.7 + 0.01 * seed) for seed in range(6)]
    found = compare(runs)
    assert {one.comparisons for one in found} == {4}
    assert all("8 would do" in one.caution for one in found)  # 4 * 2 / 2 ** 8 < 0.05


def test_equal_scores_are_ties_with_an_interval_of_no_width():
    (found,) = compare(paired_runs([0.0, 0.0, 0.0]))
    assert found.wins_ties_losses == (0, 3, 0)
    assert (found.low, found.high, found.p) == (0.0, 0.0, 1.0)


def test_seeds_without_a_pair_are_named_with_who_lacks_them():
    runs = [*paired_runs([3.0, 4.0]), run("ce", 7, 0.5), run("focal(gamma=2)", 9, 0.9)]
    (found,) = compare(runs)
    assert found.seeds == (0, 1)
    assert found.missing == [
        "focal(gamma=2) has no run for seed 7, left out of the pairs",
        "ce has no run for seed 9, left out of the pairs",
    ]


def test_of_runs_trained_twice_the_last_counts():
    again = run("focal(gamma=2)", 0, 0.99, ended_ms=5, run_id="again")
    (found,) = compare([again, *paired_runs([1.0, 1.0])])
    assert found.scores[0] == 0.99


def test_settings_are_compared_each_on_its_own_and_corrected_together():
    elsewhere = [
        run(label, seed, score, setting="two", title="digits, cnn")
        for label, score in (("ce", 0.8), ("focal(gamma=2)", 0.7))
        for seed in range(3)
    ]
    alone = [run("ldam", seed, 0.9, setting="without the baseline") for seed in range(3)]
    here, there = compare([*paired_runs([2.0, 3.0]), *elsewhere, *alone])
    assert (here.title, there.title) == ("simulated, mlp", "digits, cnn")
    assert there.mean == pytest.approx(-10.0)
    assert there.p_holm == 2 * there.p


def test_tuned_decisions_are_compared_with_tuned_decisions():
    runs = [run("ce", seed, 0.5, 0.7) for seed in range(6)]
    runs += [run("focal", seed, 0.6, 0.69 + 0.001 * seed) for seed in range(6)]
    runs += [run("old", seed, 0.9) for seed in range(6)]  # recorded argmax alone
    (found,) = compare(runs, decision="tuned")
    assert found.scores == tuple(0.69 + 0.001 * seed for seed in range(6))
    assert found.mean == pytest.approx(-0.75)
    assert "decisions tuned" in found.sentence
    with pytest.raises(UserError, match="no run has recorded test_tuned_f1_macro"):
        compare(paired_runs([1.0]), decision="tuned")


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
