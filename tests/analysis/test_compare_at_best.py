"""A sweep that tunes: each loss at its best first, given settings below, and what must be said."""

import io
import json
import re
from contextlib import redirect_stdout

import numpy as np
import pandas as pd
import pytest
from made_store import FOCAL, log_sweep, made_run, new_experiment, scored
from scipy import stats

from src.analysis.answer import answer
from src.analysis.homework import homework
from src.analysis.selection import Selection
from src.compare import main
from src.errors import UserError
from src.runs.labels import short_label

RATES = ("0.0003", "0.001", "0.003", "0.01", "0.03")
TRIED = RATES[1:4]
SEEDS = range(6)
LESSON = {"0.001": (0.60, 0.70)}
"""Mean test macro F1 of cross-entropy and focal loss; 0.8 for both elsewhere."""


def metrics_at(label, seed, rate, means=LESSON):
    """Validation prefers 0.01; test scores have noise of their own."""
    noise = np.random.default_rng([seed, len(label), RATES.index(rate)])
    test = means.get(rate, (0.8, 0.8))[label != "ce"] + noise.normal(0, 0.004)
    val = 0.8 - 0.05 * abs(RATES.index(rate) - 3) + noise.normal(0, 0.02)
    return scored(test, val) | {"best_epoch": 2, "best_epoch_tuned": 5 if label == FOCAL else 3}


def trials(labels=("ce", FOCAL), seeds=SEEDS, rates=TRIED, **options):
    return [
        (label, seed, rate, metrics_at(label, seed, rate, **options))
        for seed in seeds
        for rate in rates
        for label in labels
    ]


def selected(runs, **facts):
    """The same as the readers give them."""
    found = [
        made_run(
            label,
            seed,
            0.0,
            setting=f"rate {rate}",
            metrics=metrics,
            params={"training.learning_rate": rate, "training.epochs": "5"},
        )
        for label, seed, rate, metrics in runs
    ]
    return Selection("made", "nowhere", found, [], **facts)


def answered(selection, **options):
    return answer(selection, "ce", 2.0, "argmax", **options)


def notes_of(selection):
    """What is said beside the only setting."""
    (notes,) = answered(selection).notes.values()
    return "\n".join(notes)


@pytest.fixture(scope="module")
def store(tmp_path_factory, empty_store):
    """A store, and a function that adds a sweep to it."""
    root = tmp_path_factory.mktemp("at best") / "mlruns"
    client, experiment = new_experiment(root, empty_store, "at best")
    return root, lambda runs, **tags: log_sweep(client, experiment, runs, **tags), client


def compared(root, sweep, *words):
    """Exit status, JSON, and what is printed."""
    file = root / f"{sweep}.json"
    with redirect_stdout(io.StringIO()) as shown:
        status = main(["--root", str(root), "--sweep", sweep, "--json", str(file), *words])
    return status, json.loads(file.read_text()), shown.getvalue()


@pytest.fixture(scope="module")
def tuned(store):
    """A sweep of six seeds, two losses, three rates, and its homework."""
    root, add, _ = store
    sweep = add(trials(), **{"planned.seeds": "[0, 1, 2, 3, 4, 5]"})
    return sweep, *compared(root, sweep, "--homework", "--strict")


def test_the_chosen_runs_are_compared_first_and_given_settings_beside(tuned):
    content = tuned[2]
    frame = pd.DataFrame(trials(), columns=["label", "seed", "rate", "scores"])
    frame = frame.join(pd.DataFrame(frame.pop("scores").tolist()))

    def gains_of(runs):
        by_seed = runs.pivot(index="seed", columns="label", values="test_f1_macro")
        return 100 * (by_seed[FOCAL] - by_seed["ce"])

    best = frame.groupby(["label", "seed"])["val_crossfit_f1_macro"].idxmax()
    gains = gains_of(frame.loc[best])
    (found,) = content["comparisons"]
    ends = stats.t.interval(0.95, len(SEEDS) - 1, gains.mean(), stats.sem(gains))
    assert found["mean_difference_pp"] == pytest.approx(gains.mean())
    assert (found["ci_low_pp"], found["ci_high_pp"]) == pytest.approx(ends)
    assert found["tuning"] == "each loss at its own best learning rate"
    assert found["comparisons"] == 2  # both decisions that are shown, no given setting
    assert found["verdict"] == "equivalent"
    given = {one["tuning"]: one for one in content["at_given_settings"]}
    assert set(given) == {f"at learning rate {rate}" for rate in TRIED}
    for rate in TRIED:
        one = given[f"at learning rate {rate}"]
        gains = gains_of(frame[frame["rate"] == rate])
        assert one["differences_pp"] == pytest.approx(gains.to_list())
        assert one["p_holm"] == pytest.approx(stats.ttest_1samp(gains, 0).pvalue)


def test_what_was_chosen_and_a_budget_that_ends_too_soon_are_said(tuned):
    _, _, content, shown = tuned
    choices = [one for one in content["choices"] if one["decision"] == "argmax"]
    for one in choices:
        rates = [values[0] for values in one["chosen"].values()]
        counts = sorted(((rates.count(rate), rate) for rate in set(rates)), reverse=True)
        said = re.search(
            rf"{re.escape(short_label(one['label']))}: learning rate chosen: (.*) \(3 trials", shown
        )
        assert sorted(said[1].split(", ")) == sorted(f"{rate} x {n}" for n, rate in counts)
    short = (
        f"decisions the best epoch is the last of 5 with {short_label(FOCAL)} for 6 of 6 seeds; "
    )
    assert f"{short}training.epochs=10" in shown
    assert "not known" not in shown
    assert "not fixed beforehand" not in shown


def test_the_homework_is_judged_at_the_lessons_settings_and_what_is_left_of_it_stands_below(
    tuned, store
):
    sweep, status, content, shown = tuned
    assert status == 0
    assert re.search(r"Homework: PASS\n.*learning rate 0\.001.*: \+\d+\.\d pp .*: gain\n", shown)
    assert re.search(r"Each loss at its best: .*: equivalent\n", shown)
    assert content["homework"] in shown
    assert compared(store[0], sweep, "--strict")[0] == 1
    untuned = selected(trials(rates=["0.001"], means={}), command="train.py -m loss=ce,focal")
    for selection, said in (
        (untuned, "FAIL\n"),
        (selected(trials(seeds=[0])), "not judged, one seed: spread unknown; add 'seed=range("),
    ):
        found = homework(answered(selection))
        assert not found.passed
        assert found.text.startswith(f"Homework: {said}")
    with pytest.raises(UserError, match=r"--homework: no .* at training\.learning_rate=0\.001"):
        homework(answered(selected(trials(rates=["0.01"]))))


def test_where_nothing_is_tuned_the_rate_is_named_and_how_to_find_out_more():
    typed = "train.py -m loss=ce,focal tuning=none training.learning_rate=0.001 'seed=range(0,6)'"
    found = selected(trials(rates=["0.001"]), command=typed)
    (one,) = answered(found).comparisons
    assert one.tuning == "at learning rate 0.001"
    said = "is not known; this finds it: python train.py -m loss=ce,focal 'seed=range(0,6)' tuning="
    assert notes_of(found).endswith(f"{said}learning_rate")


def test_a_best_rate_at_the_edge_of_the_grid_is_named_with_a_wider_one():
    wide, narrow = selected(trials(rates=RATES)), selected(trials(rates=RATES[:4]))
    assert "edge" not in notes_of(wide)
    assert re.search(
        r"learning rate 0\.01 lies at the edge of the grid and is best for ce \(\d of 6 seeds\), "
        r".*; a wider grid .*: training\.learning_rate=0\.0003,0\.001,0\.003,0\.01,0\.033\n",
        notes_of(narrow),
    )


def test_losses_with_different_numbers_of_trials_are_named():
    uneven = trials(labels=["ce"], rates=RATES[1:3]) + trials(labels=[FOCAL])
    said = f"different numbers of trials a seed (ce 2, {short_label(FOCAL)} 3)"
    assert said in notes_of(selected(uneven))


def test_seeds_that_were_not_planned_are_said_and_an_interval_for_those_who_look_is_wider():
    found = selected(trials(rates=["0.01"]), planned=(0, 1, 2, 3))
    assert "the sweep planned 4 seeds, and 2 more are compared" in notes_of(found)
    assert "planned" not in notes_of(selected(trials(rates=["0.01"]), planned=tuple(SEEDS)))
    ends = [
        (one.low, one.high)
        for anytime in (True, False)
        for one in answered(found, anytime=anytime).comparisons
    ]
    assert ends[0][0] < ends[1][0] < ends[1][1] < ends[0][1]


def test_a_sweep_that_extends_another_is_said_to_and_that_other_is_not(store):
    root, add, client = store
    sweep, longer = (add(trials(seeds=seeds, rates=["0.01"])) for seeds in (range(20, 23), [23]))
    for run in client.search_runs(["1"], f"tags.`sweep.{sweep}` LIKE '%'"):
        client.set_tag(run.info.run_id, f"sweep.{longer}", "answered")
    earlier = "an earlier sweep compared these losses over 3 seeds of the 4"
    assert earlier in compared(root, longer)[-1]
    assert "an earlier sweep" not in compared(root, sweep)[-1]


def test_a_recommendation_against_the_verdict_says_why():
    """Cross-entropy is as good on validation, and 10 pp worse on test."""
    found = answered(selected(trials(rates=["0.001"])))
    (one,) = found.comparisons
    assert one.verdict == "gain"
    (advice,) = found.recommendations
    assert advice.label == "ce"
    assert f"The verdict on the test split points the other way ({one.headline})" in advice.sentence
    calm = answered(selected(trials(rates=["0.01"]))).recommendations[0]
    assert "points the other way" not in calm.sentence
