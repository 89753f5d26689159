"""The paired comparison: pairs, differences and sentences by hand."""

import math
from dataclasses import replace

import numpy as np
import pytest
from made_store import made_run as run
from scipy import stats

from src.analysis.homework import Homework
from src.analysis.notes import split_notes
from src.analysis.statistics.design import Design
from src.analysis.statistics.estimate import estimate
from src.analysis.statistics.paired import compare, corrected
from src.errors import UserError

TWO_A_SPLIT = [9.0, 7.0, -6.0, -8.0, 5.0, 4.0, -3.0, -1.0]
TUNED = {"test_tuned_f1_macro": 0.7}


def paired_runs(gains, base=0.60, loss="focal(gamma=2)"):
    baseline = [run("ce", seed, base + 0.01 * seed) for seed in range(len(gains))]
    others = [run(loss, seed, base + 0.01 * seed + gain / 100) for seed, gain in enumerate(gains)]
    return baseline + others


def table_runs(gains, seeds_per_split=2, **changes):
    """Runs on re-splits of a table of 1,000 rows, each split shared by neighbouring seeds."""
    facts = {"estimand": "table"} | changes
    return [
        replace(one, fingerprint=f"split-{one.seed // seeds_per_split}", **facts)
        for one in paired_runs(gains)
    ]


@pytest.mark.parametrize(
    ("gains", "verdict", "homework"),
    [
        ([4.0, 5.0, 3.0, 4.5, 3.5], "gain", "PASS"),
        ([3.0, 0.5, 4.0, 2.5, 1.5], "better", "PASS"),
        ([1.5, 1.4, 1.6, 1.5, 1.5], "better", "FAIL"),  # sure, and less than the threshold
        ([0.5, -0.4, 0.3, -0.6, 0.1], "equivalent", "FAIL"),
        ([20.0, -8.0, 15.0, -9.0, 2.0], "undecided", "FAIL"),
        ([-1.5, -1.4, -1.6, -1.5, -1.5], "worse", "FAIL"),
        ([-4.0, -5.0, -3.0, -4.5, -3.5], "loss", "FAIL"),
        ([0.0, 0.0, 0.0], "equivalent", "FAIL"),  # ties, with an interval of no width
    ],
)
def test_every_verdict_and_what_the_homework_makes_of_it(gains, verdict, homework):
    """Differences are paired by seed, in percentage points."""
    (found,) = compare(paired_runs(gains))
    assert found.seeds == tuple(range(len(gains)))
    assert found.differences == pytest.approx(gains)
    assert (found.mean, found.low < found.high) == (pytest.approx(np.mean(gains)), any(gains))
    signs = np.sign(gains).tolist()
    assert found.wins_ties_losses == (signs.count(1), signs.count(0), signs.count(-1))
    assert found.verdict == verdict
    assert Homework(found).verdict == homework
    assert f". {verdict.capitalize()}: " in found.sentence
    assert found.headline.endswith(f"]: {verdict}")
    chances = (
        found.probability_of_gain,
        found.probability_of_equivalence,
        found.probability_of_loss,
    )
    assert sum(chances) == pytest.approx(1)


def test_a_sentence_on_fresh_samples_says_how_many_seeds_would_do():
    runs = [
        replace(one, params={"training.learning_rate": "0.001"})
        for one in paired_runs([5.0, -3.0, 4.0, 1.0, -2.0, 3.0])
    ]
    (found,) = compare(runs)
    low, high = stats.t.interval(0.95, 5, 8 / 6, stats.sem(found.differences))
    assert found.sentence == (
        f"On new samples of this kind, at learning rate 0.001, focal γ2 changes macro F1 by "
        f"+1.3 pp [{low:.1f}, {high:.1f}] against ce (6 seeds); a gain above 2 pp has probability "
        f"{100 * found.probability_of_gain:.0f} %. Undecided: neither a difference nor equivalence "
        f"within 2 pp is shown; about {found.needed} seeds would decide it."
    )


@pytest.mark.parametrize(
    ("gains", "margin"),
    [([5.0, -3.0, 4.0, 1.0, -2.0, 3.0], 8 / 6), ([5.0, -3.0, 4.0, -4.0, -2.0, 1.2], 1.8)],
    ids=["to leave out 0", "to lie within 2 pp"],
)
def test_the_seeds_that_would_do_make_the_interval_as_narrow_as_the_nearer_verdict_asks(
    gains, margin
):
    (found,) = compare(paired_runs(gains))
    assert found.needed == found.estimate.seeds_needed(margin)


def test_a_sentence_on_one_table_says_that_more_seeds_would_not_do():
    runs = [replace(one, tuned=("training.learning_rate",)) for one in table_runs(TWO_A_SPLIT)]
    (found,) = compare(runs)
    design = Design("table", test_share=0.25)
    assert found.estimate == estimate(found.differences, list("aabbccdd"), design)
    assert found.sentence.startswith(
        "On re-splits of this table, each loss at its own best learning rate, focal γ2 "
    )
    floor = f"more seeds cannot narrow this below ±{found.estimate.floor:.1f} pp, more rows can. "
    noise = f"Another training seed alone moves a difference by {found.estimate.training_sd:.1f} pp"
    assert f"{floor}{noise}" in found.sentence
    assert found.needed is None


def test_rows_that_were_tested_on_decide_how_much_re_splits_share():
    few, many = (compare(table_runs(TWO_A_SPLIT, rows_test=rows))[0].estimate for rows in (20, 200))
    assert few.floor == pytest.approx(many.floor * np.sqrt(0.1))
    assert few.standard_error < many.standard_error


def test_seeds_on_one_split_speak_of_that_split():
    (found,) = compare(table_runs([3.0, 4.0, 5.0, 4.0], seeds_per_split=4))
    assert found.sentence.startswith("On the one split that all these seeds share, ")


@pytest.mark.parametrize(
    ("estimand", "split", "said"),
    [
        ("table", "group", "On re-splits of this table by whole groups, "),
        ("table", "kfold", "On re-splits of this table into folds, "),
        ("trainings", "given", "On the test rows that were given, over new trainings, "),
        ("periods", "time", "On the periods of this history, each after the rows that trained"),
    ],
)
def test_the_sentence_says_of_what_the_mean_is_an_estimate(estimand, split, said):
    data = {"data.folds": "4", "data.origins": "4", "data.seeds_per_split": "2"}
    facts = {"estimand": estimand, "split": split, "params": data}
    (found,) = compare(table_runs(TWO_A_SPLIT, **facts))
    assert found.sentence.startswith(said)
    on = {"kfold": "(8 seeds on 4 folds)", "time": "(8 seeds on 4 origins)"}
    assert on.get(split, "(8 seeds)") in found.sentence
    assert (found.estimate.floor > 0) == (estimand != "trainings")


def test_test_rows_that_are_given_say_nothing_of_others_and_seeds_narrow_all_the_rest():
    given, table = (
        compare(table_runs(TWO_A_SPLIT, estimand=one, split=split))[0]
        for one, split in (("trainings", "given"), ("table", "random"))
    )
    assert given.estimate.standard_error < table.estimate.standard_error
    assert given.needed is not None and table.needed is None
    assert "whether others would show the same is not in the interval" in split_notes(given)[0]
    one_split = table_runs(TWO_A_SPLIT, 8, estimand="trainings", split="given")
    assert compare(one_split)[0].sentence.startswith("On the test rows that were given")


def test_folds_and_origins_are_advised_in_whole_rounds():
    """Two seeds on each of five folds, or of four origins."""
    data = {"data.folds": "5", "data.origins": "4", "data.seeds_per_split": "2"}
    gains = [9.0, 7.0, -6.0, -8.0, 5.0, 4.0]
    kfold, time = (
        compare(table_runs(gains, estimand=estimand, split=split, params=data))[0]
        for estimand, split in (("table", "kfold"), ("periods", "time"))
    )
    assert "6 seeds on 3 folds are no whole round of 5: 'seed=range(0,10)'" in split_notes(kfold)[0]
    assert "'seed=range(0,8)'" in split_notes(time)[1]
    wide = kfold.estimate.seeds_needed(2 * kfold.estimate.floor)
    assert wide % 10 == 0
    origins = replace(time.estimate.design, parts=3)  # all three were seen: seeds add trainings
    alone = replace(time.estimate, design=origins)
    assert alone.seeds_needed(0.9 * time.estimate.standard_error) is None
    assert "more origins (data.origins)" in origins.more
    (single,) = compare(table_runs([9.0], estimand="periods", split="time", params=data))
    assert single.estimate.design.one_seed.endswith("add 'seed=range(0,16)'")


def test_one_seed_decides_nothing():
    (found,) = compare(paired_runs([9.0]))
    assert found.verdict == "undecided"
    assert not Homework(found).passed
    assert math.isnan(found.low)
    assert found.sentence.endswith(
        "(1 seed). Undecided: one seed: spread unknown; add 'seed=range(0,10)'."
    )


def test_both_decisions_of_a_setting_are_corrected_together_and_no_other_setting():
    gains = [3.0, 0.2, 4.0, 0.0, 5.0, 1.5]
    runs = [replace(one, metrics=one.metrics | TUNED) for one in paired_runs(gains)]
    elsewhere = [replace(one, setting="two") for one in runs]
    by_decision = [compare([*runs, *elsewhere], decision=name) for name in ("argmax", "tuned")]
    assert [one.comparisons for one in by_decision[0]] == [1, 1]
    found = corrected([one for several in by_decision for one in several])
    assert [one.comparisons for one in found] == [2] * 4
    assert found[0].p_holm == pytest.approx(2 * found[0].p)
    assert (found[0].verdict, found[0].verdict_alone) == ("undecided", "better")
    assert "the 2 comparisons shown makes it undecided; alone it would be better" in (
        found[0].sentence
    )


def test_an_interval_valid_at_any_time_is_wider_and_says_so():
    gains = [4.0, 5.0, 3.0, 4.5, 3.5, 4.2]
    (once,), (always,) = compare(paired_runs(gains)), compare(paired_runs(gains), anytime=True)
    assert always.low < once.low < once.high < always.high
    assert "(6 seeds, interval valid at any time)" in always.sentence
    assert always.p > once.p
    (early,) = compare(paired_runs(gains[:4]), anytime=True)
    assert not early.has_interval
    assert "by +4.1 pp against ce (4 seeds, still no interval valid at any time)" in early.sentence
    assert early.verdict == "undecided"


def test_seeds_without_a_pair_are_named_with_who_lacks_them():
    runs = [*paired_runs([3.0, 4.0]), run("ce", 7, 0.5), run("focal(gamma=2)", 9, 0.9)]
    (found,) = compare(runs)
    assert found.seeds == (0, 1)
    assert found.missing == [
        "focal γ2 has no run for seed 7, left out of the pairs",
        "ce has no run for seed 9, left out of the pairs",
    ]


def test_settings_are_compared_each_on_its_own_and_of_runs_trained_twice_the_last_counts():
    again = run("focal(gamma=2)", 0, 0.99, ended_ms=5, run_id="again")
    elsewhere = [
        run(label, seed, score, setting="two", title="digits, cnn")
        for label, score in (("ce", 0.8), ("focal(gamma=2)", 0.7))
        for seed in range(3)
    ]
    alone = [run("ldam", seed, 0.9, setting="without the baseline") for seed in range(3)]
    here, there = compare([again, *paired_runs([2.0, 3.0]), *elsewhere, *alone])
    assert (here.title, there.title) == ("simulated, mlp", "digits, cnn")
    assert here.scores[0] == 0.99
    assert there.mean == pytest.approx(-10.0)
    assert there.p_holm == there.p


def test_tuned_decisions_are_compared_with_tuned_decisions():
    runs = [run("ce", seed, 0.5, 0.7) for seed in range(6)]
    runs += [run("focal", seed, 0.6, 0.69 + 0.001 * seed) for seed in range(6)]
    runs += [run("old", seed, 0.9) for seed in range(6)]  # recorded argmax alone
    (found,) = compare(runs, decision="tuned")
    assert found.scores == tuple(0.69 + 0.001 * seed for seed in range(6))
    assert found.mean == pytest.approx(-0.75)
    assert "(6 seeds, tuned thresholds)" in found.sentence
    with pytest.raises(UserError, match="no run has recorded test_tuned_f1_macro"):
        compare(paired_runs([1.0]), decision="tuned")


def test_pairs_from_different_splits_are_refused():
    runs = paired_runs([1.0, 2.0])
    runs[0] = run("ce", 0, 0.6, fingerprint="another split")
    with pytest.raises(UserError, match=r"seed 0.*different splits"):
        compare(runs)


def test_an_absent_or_ambiguous_baseline_lists_the_losses():
    runs = paired_runs([1.0, 2.0])
    with pytest.raises(UserError, match=r"--baseline hinge: is not among.*ce, 'focal\(gamma=2\)'"):
        compare(runs, baseline="hinge")
    more = paired_runs([1.0, 2.0], loss="focal(gamma=1)")
    with pytest.raises(UserError, match=r"--baseline focal: stands for several"):
        compare([*runs, *more], baseline="focal")
    assert compare([*runs, *more], baseline="focal(gamma=1)")
