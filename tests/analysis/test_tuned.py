"""Each loss at its best: chosen within a seed, by validation alone, for each decision apart."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from made_store import made_run

from src.analysis.runs import with_titles
from src.analysis.statistics.paired import compare
from src.analysis.tuned import at_best
from src.errors import UserError

RATES = ("0.001", "0.01", "0.1")
FOCAL = "focal(gamma=2, alpha=[0.25, 0.75])"
ARGMAX, TUNED = "val_crossfit_f1_macro", "val_tuned_crossfit_f1_macro"


def trial(label, seed, rate, random, data="simulated", **changes):
    """A trial whose scores are noise, so that validation and test choose different ones."""
    names = ("test_f1_macro", "test_tuned_f1_macro", ARGMAX, TUNED)
    params = {"training.learning_rate": rate, "training.optimizer.learning_rate": rate}
    facts = {
        "setting": f"{data} {rate}",
        "title": f"{data}, mlp",
        "metrics": dict(zip(names, random.random(len(names)), strict=True)),
        "params": {"data.name": data, "training.epochs": "5", **params},
        "run_id": f"{data} {label} {seed} {rate}",
    }
    return made_run(label, seed, 0.0, **{**facts, **changes})


def sweep(labels=("ce", FOCAL), seeds=range(6), data=("simulated", "digits")):
    random = np.random.default_rng(0)
    return [
        trial(label, seed, rate, random, name)
        for name in data
        for rate in RATES
        for label in labels
        for seed in seeds
    ]


@pytest.mark.parametrize(("decision", "criterion"), [("argmax", ARGMAX), ("tuned", TUNED)])
def test_the_chosen_run_is_the_best_by_validation_within_its_loss_seed_and_data(
    decision, criterion
):
    runs = sweep()
    frame = pd.DataFrame([vars(run) | run.metrics for run in runs])
    by_trial = frame.groupby(["title", "label", "seed"])
    best, by_test = (frame.loc[by_trial[name].idxmax()] for name in (criterion, "test_f1_macro"))
    found = at_best(runs, decision)
    assert {run.run_id for run in found.runs} == set(best["run_id"])
    assert set(best["run_id"]) != set(by_test["run_id"])
    pairs = best.pivot(index=["title", "seed"], columns="label", values="test_f1_macro")
    gains = (100 * (pairs[FOCAL] - pairs["ce"])).groupby("title").mean()
    if decision == "argmax":
        means = {one.title: one.mean for one in compare(found.runs)}
        assert means == pytest.approx(gains.to_dict())


def test_a_loss_is_chosen_for_each_sampling_apart():
    """The knob that is tuned leaves the label of the loss; what was sampled stays."""
    random, labels = np.random.default_rng(0), ("focal(gamma={}, alpha=0.25)", "ce")
    runs = [
        trial(
            f"{label.format(gamma)}{sampling}",
            seed,
            "0.01",
            random,
            params={"loss.gamma": gamma, "tuning.keys": "['loss.gamma']"},
            loss=label.partition("(")[0],
            run_id=f"{label} {sampling} {seed} {gamma}",
        )
        for label in labels
        for sampling in ("", " + smote(k_neighbors=3)")
        for gamma in ("1", "2")
        for seed in range(3)
    ]
    found = at_best(runs, "argmax")
    smote = " + smote(k_neighbors=3)"
    named = {f"{loss}{more}" for loss in ("focal(alpha=0.25)", "ce") for more in ("", smote)}
    assert {run.label for run in found.runs} == named
    compared = {(one.baseline, one.label) for one in compare(found.runs)}
    assert compared == {("ce", label) for label in named - {"ce"}}


def test_what_was_chosen_is_counted_and_the_edge_of_the_grid_is_seen():
    runs = sweep(data=("digits",))
    found = at_best(runs, "argmax")
    assert [choice.label for choice in found.choices] == ["ce", FOCAL]
    for choice in found.choices:
        assert choice.keys == ("training.learning_rate",)
        assert choice.grid == {"training.learning_rate": RATES}
        rates = [run.params[choice.keys[0]] for run in found.runs if run.label == choice.label]
        counts = {rate: rates.count(rate) for rate in set(rates)}
        assert choice.counts(choice.keys[0]) == counts
        assert set(choice.trials.values()) == {3}
        assert choice.at_edge(choice.keys[0]) == {
            rate: n for rate, n in counts.items() if rate in {"0.001", "0.1"}
        }
        for rate, n in counts.items():
            assert f"{rate} x {n}" in choice.words
        assert choice.words.startswith("learning rate chosen: ")
    (given,) = found.given.values()
    assert given == {f"digits {rate}": (rate,) for rate in RATES}
    assert {run.terms for run in found.runs} == {"each loss at its own best learning rate"}
    assert {run.title for run in found.runs} == {"digits, mlp"}


def test_titles_name_what_differs_and_no_key_twice():
    runs = sweep(data=("digits",))
    titles = {run.title for run in with_titles(runs)}
    assert titles == {f"digits, mlp, training.learning_rate={rate}" for rate in RATES}
    assert {run.title for run in with_titles(runs[:1])} == {"digits, mlp"}


def test_nothing_is_tuned_where_a_loss_and_seed_have_one_trial():
    one = [run for run in sweep() if run.params["training.learning_rate"] == "0.01"]
    assert (at_best(one, "argmax").choices, len(at_best(one, "argmax").runs)) == ([], len(one))
    assert one[0].terms == "at learning rate 0.01"
    apart = [
        run for run in sweep() if (run.seed < 3) == (run.params["training.learning_rate"] == "0.01")
    ]
    split = [run for run in apart if run.seed < 3 or run.params["training.learning_rate"] == "0.1"]
    assert at_best(split, "argmax").choices == []


def test_losses_that_differ_in_a_key_that_is_not_tuned_are_not_paired():
    runs = sweep(data=("digits",))
    longer = [
        replace(run, setting=f"{run.setting} long", params=run.params | {"training.epochs": "50"})
        for run in runs
        if run.label == FOCAL
    ]
    with pytest.raises(UserError, match="nothing to compare"):
        compare(at_best([*longer, *(run for run in runs if run.label == "ce")], "argmax").runs)


def test_knobs_of_a_loss_are_tuned_where_the_sweep_names_them_and_leave_its_label():
    random = np.random.default_rng(1)
    asked = {"tuning.keys": "['training.learning_rate', 'loss.gamma']"}

    def runs(**more):
        focal = "focal(gamma={}, alpha=0.25)"
        return [
            trial(label.format(gamma), seed, rate, random, params=params | more)
            for seed in range(3)
            for rate in RATES
            for label, gamma in (("ce", "2"), (focal, "1"), (focal, "2"))
            for params in [{"loss.gamma": gamma, "training.learning_rate": rate}]
        ]

    found = at_best(runs(**asked), "argmax")
    choices = {choice.label: choice for choice in found.choices}
    assert choices["ce"].keys == ("training.learning_rate",)
    assert set(choices["ce"].trials.values()) == {3}
    assert set(choices["focal(alpha=0.25)"].trials.values()) == {6}
    assert choices["focal(alpha=0.25)"].grid["loss.gamma"] == ("1", "2")
    labels = {choice.label for choice in at_best(runs(), "argmax").choices}
    assert labels == {"ce", "focal(gamma=1, alpha=0.25)", "focal(gamma=2, alpha=0.25)"}


def test_trials_on_different_splits_or_without_a_score_on_validation_are_refused():
    runs = sweep(data=("digits",), seeds=range(1))
    other = replace(runs[0], fingerprint="another", ended_ms=2)
    with pytest.raises(UserError, match="seed 0: the trials of ce were trained on different spl"):
        at_best([*runs, other], "argmax")
    runs[0].metrics.pop(ARGMAX)
    with pytest.raises(UserError, match=rf"ce seed 0: has no {ARGMAX}.*force=true"):
        at_best(runs, "argmax")
