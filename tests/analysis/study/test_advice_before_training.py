"""Advice before training: against refits by scikit-learn, and on studies whose truth is known."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge

from src.analysis.study.advice import FEATURES, StudySets, advise, features_of, predict_gains
from src.analysis.study.advice_check import AVERAGE, PLAIN, POOLS, PREDICTED, check_advice
from src.analysis.study.advice_text import lines
from src.analysis.study.prediction import BY_CHANCE, GainPredictor, left_out_errors
from src.analysis.study.table import ANY_NETWORK, ANY_REFERENCE, CHOSEN

FAMILIES = 24


def made_study(slope, *, seed=0, families=FAMILIES, methods=("focal", "balanced")):
    """A study of families with 1 to 6 sets: gains go with the log of the ratio, or with nothing.

    `focal` gains with the ratio, `balanced` loses by it; both have a family's own share and noise.
    """
    rng = np.random.default_rng(seed)
    rows = []
    for family in range(families):
        share = rng.normal(0, 1)
        for number in range(rng.integers(1, 7)):
            ratio, rarest = np.exp(rng.uniform(0.7, 4.5)), np.exp(rng.uniform(2.7, 6))
            facts = {
                "data": f"set{family}_{number}",
                "family": f"family{family}",
                "rows": round(rarest * (1 + ratio)),
                "classes": 2,
                "ratio": ratio,
                "rarest_rows": round(rarest),
                "columns": int(rng.integers(3, 40)),
                "overlap": rng.uniform(0, 1),
            }
            by_ratio = slope * (np.log(ratio) - 2.6)
            gains = {"ce": 0.0}
            for sign, method in zip((1, -1), methods, strict=True):
                gains[method] = sign * by_ratio + share + rng.normal(0, 1)
            rows += [
                facts | {"kind": "network", "method": m, "decision": "argmax", "over_argmax": g}
                for m, g in gains.items()
            ]
    return pd.DataFrame(rows)


def test_errors_of_families_left_out_are_those_of_fits_without_them():
    rng = np.random.default_rng(3)
    family = np.repeat(np.arange(6), [1, 4, 2, 7, 3, 3])
    design = np.hstack([np.ones((20, 1)), rng.normal(size=(20, 3))])
    gains = rng.normal(size=(20, 2))
    found = left_out_errors(design, gains, family, 2.5)
    for number in range(6):
        rest, own = family != number, family == number
        weights = 1 / np.bincount(family)[family[rest]]
        fit = Ridge(alpha=2.5).fit(design[rest, 1:], gains[rest], sample_weight=weights)
        np.testing.assert_allclose(found[own], gains[own] - fit.predict(design[own, 1:]))


def test_a_gain_that_goes_with_the_ratio_is_predicted_and_one_that_goes_with_nothing_is_not():
    for slope, families, predicts in ((3.0, 24, True), (0.0, 24, False), (3.0, 9, False)):
        sets = StudySets.of_table(made_study(slope, families=families))
        found = predict_gains(sets, sets.facts).set_index("method")
        assert (found.loc[["focal", "balanced"], "predicts"] == predicts).all()
        assert (found["expected"] == found["average"]).all() != predicts


@pytest.mark.parametrize("slope", [0.0, 3.0])
def test_intervals_hold_95_in_a_hundred_gains_and_chance_predicts_as_often_as_is_said(slope):
    held, predicts = [], []
    first = [f"family{number}" for number in range(FAMILIES)]
    for seed in range(100):
        sets = StudySets.of_table(made_study(slope, seed=seed, families=FAMILIES + 12))
        seen = sets.facts["family"].isin(first)
        study, new = sets.of(seen), sets.of(~seen)
        gains = study.gains["network"][["focal", "balanced"]].to_numpy()
        fit = GainPredictor.fit(features_of(study.facts), gains, study.facts["family"].tolist())
        off = new.gains["network"][["focal", "balanced"]] - fit.predict(features_of(new.facts))
        held.append((off.abs() <= fit.half_width).to_numpy().mean())
        predicts.append(fit.predicts.mean())
    assert 0.93 < np.mean(held) < 0.97
    assert np.mean(predicts) == (1 if slope else pytest.approx(BY_CHANCE, abs=0.04))


def test_the_check_says_which_of_the_two_is_better_and_never_trains_on_the_family():
    table = made_study(3.0)
    check = check_advice(table)
    focal = check.methods.set_index("method").loc["focal"]
    assert focal["error"] < 0.75 * focal["error_of_average"]
    assert focal["predicted"] == 1
    regret = {
        choice: check.regrets[POOLS[0], choice].value for choice in (AVERAGE, PREDICTED, PLAIN)
    }
    assert regret[PREDICTED] < min(regret[AVERAGE], regret[PLAIN]) - 0.5
    assert check.saved[POOLS[0]].low > 0
    assert "]: better." in check.conclusion
    changed = table.copy()
    own = changed["family"] == "family3"
    changed.loc[own & (changed["method"] != "ce"), "over_argmax"] += 1000
    sets, other = StudySets.of_table(table), StudySets.of_table(changed)
    held_out = sets.facts["family"] == "family3"
    pd.testing.assert_frame_equal(
        *(predict_gains(one.of(~held_out), one.facts[held_out]) for one in (sets, other))
    )


def test_where_nothing_predicts_the_check_says_so():
    check = check_advice(made_study(0.0))
    assert check.saved[POOLS[0]].low <= 0 <= check.saved[POOLS[0]].high
    assert ", 0 of 2 gains are predicted better" in check.conclusion
    assert "]: undecided." in check.conclusion


def test_what_lies_outside_the_study_and_what_is_like_a_table_is_said():
    sets = StudySets.of_table(made_study(3.0))
    inside = sets.facts.iloc[5].to_dict()
    advice = advise(sets, inside)
    assert sets.facts.index[5] in advice.near
    assert advice.outside == {}
    assert advice.families == FAMILIES
    far = advise(sets, inside | {"ratio": 5000.0, "classes": 9})
    assert far.near == ()
    assert far.outside["ratio"] == (5000.0, *sets.facts["ratio"].agg(["min", "max"]))
    assert far.outside["classes"] == (9, 2, 2)
    edge = advise(sets, inside | {"ratio": float(sets.facts["ratio"].max())})
    pd.testing.assert_series_equal(far.gains["expected"], edge.gains["expected"])


def test_references_are_held_against_networks_family_by_family():
    table = made_study(0.0)
    network = table[table["method"] == "focal"].assign(method=ANY_NETWORK, decision=CHOSEN)
    better = network["family"].isin([f"family{k}" for k in range(6)])
    reference = network.assign(
        kind="reference",
        method=ANY_REFERENCE,
        over_argmax=network["over_argmax"] + np.where(better, 3.0, -1.0),
    )
    sets = StudySets.of_table(pd.concat([table, network, reference]))
    advice = advise(sets, sets.facts.iloc[0].to_dict())
    assert advice.ahead == {"ahead": 6 / FAMILIES, "level": 1 - 6 / FAMILIES, "behind": 0}
    said = " ".join(lines("mine.csv", advice))
    assert "more than 2 pp in 25 % of the families, within that in 75 %, behind in 0 %" in said
    assert "expected here: +0.0" in said


def test_a_method_that_some_sets_lack_rests_on_the_others():
    table = made_study(0.0)
    lacking = (table["method"] == "focal") & (table["family"] < "family12")
    found = predict_gains(StudySets.of_table(table[~lacking]), StudySets.of_table(table).facts)
    families = found.groupby("method")["families"].first()
    assert families["focal"] == table[~lacking & (table["method"] == "focal")]["family"].nunique()
    assert families["focal"] < families["ce"] == FAMILIES


def test_features_are_logarithms_but_for_the_overlap():
    sets = StudySets.of_table(made_study(0.0))
    one = dict(zip(FEATURES, features_of(sets.facts)[0], strict=True))
    facts = sets.facts.iloc[0]
    assert one["overlap"] == facts["overlap"]
    assert one["ratio"] == pytest.approx(np.log(facts["ratio"]))


def test_a_constant_gain_needs_no_interval():
    fit = GainPredictor.fit(np.ones((10, 1)), np.full((10, 1), 2.0), [*"aabbccddee"])
    assert [fit.average, fit.half_width] == pytest.approx([2.0, 0.0])
    assert not fit.predicts
