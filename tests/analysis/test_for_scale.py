"""References stand below the losses, and come first where one is better than what is advised."""

import io
import json
import zlib
from dataclasses import replace

import numpy as np
import pytest
from made_store import made_run, scored
from rich.console import Console
from scipy.stats import ttest_rel
from statsmodels.stats.multitest import multipletests

from src.analysis.answer import answer
from src.analysis.report.files import write_json
from src.analysis.report.html import write_html
from src.analysis.report.publish import ANSWER, described
from src.analysis.report.terminal import print_answer
from src.analysis.selection import Selection

SEEDS = range(8)
NOISE = np.array([0.02, -0.01, 0.0, -0.02, 0.01, 0.015, -0.005, -0.01])


def runs_of(label, test, *, val=None, noise=0.2, kind="network", **params):
    """Eight runs whose test scores are about these."""
    own = noise * np.random.default_rng(zlib.crc32(label.encode())).permutation(NOISE)
    return [
        made_run(
            label,
            seed,
            0,
            kind=kind,
            title="file, mlp" if kind == "network" else "file",
            setting="one" if kind == "network" else "of estimators",
            class_names=("many", "few"),
            class_counts=(80, 20),
            ended_ms=seed,
            run_id=f"{label}-{seed}",
            params={f"estimator.{key}": str(value) for key, value in params.items()},
            metrics=scored(
                test + NOISE[seed] + own[seed],
                (val or test) + NOISE[seed] + own[seed],
                tuned=test + NOISE[seed] + own[-1 - seed],
                val_tuned=(val or test) + NOISE[seed],
            ),
        )
        for seed in SEEDS
    ]


def forest(test, label="random forest", leaf=1, **changes):
    known = {"name": "random_forest", "n_estimators": 100, "min_samples_leaf": leaf}
    return runs_of(label, test, kind="reference", **known, class_weight="null", **changes)


LOSSES = [*runs_of("ce", 0.80), *runs_of("focal(gamma=2)", 0.82)]


def answered(*references, runs=LOSSES, **options):
    selection = Selection("runs", "here", list(runs), [], [run for of in references for run in of])
    options = {"baseline": "ce", "threshold": 2.0, "decision": "argmax"} | options
    return answer(selection, **options)


def scale_of(*references):
    """How references stand, in the only setting."""
    (scale,) = answered(*references).scale.values()
    return scale


def printed(found, width=80):
    console = Console(width=width, record=True, file=io.StringIO())
    print_answer(found, console)
    return console.export_text()


def test_the_losses_are_compared_as_if_no_reference_was_there():
    with_them, without = answered(forest(0.95), forest(0.5, "other")), answered()
    for name in ("comparisons", "others", "recommendations", "left_out"):
        assert repr(getattr(with_them, name)) == repr(getattr(without, name)), name
    assert without.scale == {}


def test_each_is_compared_with_the_recommendation_and_corrected_among_references_alone():
    found = answered(forest(0.85, noise=0.4), forest(0.81, "gradient boosting", noise=0.6))
    (scale,) = found.scale.values()
    advice = found.recommendations[0]
    base = [run for run in LOSSES if run.label == advice.label]
    p = []
    for row in scale.rows:
        ours = [100 * run.score(row.at.decision) for run in row.at.runs]
        theirs = [100 * run.score(advice.decision) for run in base]
        oracle = ttest_rel(ours, theirs)
        low, high = oracle.confidence_interval()
        assert (row.against.low, row.against.high) == pytest.approx((low, high))
        p.append((row.against.p_holm, oracle.pvalue))
    assert len(p) == 4
    corrected, alone = zip(*p, strict=True)
    assert corrected == pytest.approx(multipletests(alone, method="holm")[1])


def test_one_that_is_better_by_more_than_counts_comes_first_with_what_to_do(tmp_path):
    found = answered(forest(0.90), runs_of("majority", 0.45, kind="reference", name="majority"))
    (scale,) = found.scale.values()
    assert scale.leads
    assert scale.rows[0].against.verdict == "gain"
    assert "A network is not the best choice here: on the same test splits random forest" in (
        scale.sentence
    )
    run_id = scale.rows[0].at.median_run.run_id
    usual = f"python -m src.promote {run_id} --name NAME --alias champion"
    assert scale.command == f"{usual} --decision argmax"
    text = printed(found)
    last = text[text.rindex("A network is not the best choice") :]
    assert last.index(usual) < last.index("Recommendation among the losses")
    write_html(tmp_path / "report.html", found)
    page = (tmp_path / "report.html").read_text()
    body = page[page.index("<body") :]
    ahead = body.index("A network is not the best choice")
    assert ahead < body.index('class="badge') < body.index("Recommendation among the los")
    assert body.index("For scale: no networks") > body.index("<h2>Every loss")
    write_json(tmp_path / "all.json", found)
    (kept,) = json.loads((tmp_path / "all.json").read_text())["for_scale"]
    assert kept["reference_leads"]
    assert [one["reference"] for one in kept["references"]][-1] == "majority"
    assert kept["references"][0]["verdict"] == "gain"


def test_one_that_is_no_better_stands_behind_the_recommendation():
    found = answered(forest(0.79))
    (scale,) = found.scale.values()
    assert not scale.leads
    assert scale.sentence.startswith("For scale: random forest")
    assert "-3.0 pp [-3.4, -2.6] against focal γ2 by argmax, 0.820 (8 seeds; loss)" in (
        scale.sentence
    )
    text = printed(found)
    assert text.rindex("For scale: random forest") > text.rindex("Recommendation: ")
    assert (scale.advice, scale.command) == ("", "")


@pytest.mark.parametrize(("test", "leads"), [(0.832, False), (0.84, False), (0.85, True)])
def test_a_lead_within_what_counts_as_equal_is_no_reason_to_change(test, leads):
    scale = scale_of(forest(test, noise=0.05))
    assert scale.rows[0].against.verdict in {"better", "gain"}
    assert scale.leads == leads


@pytest.mark.parametrize(("val", "leads"), [(0.95, True), (0.80, False)])
def test_a_large_lead_that_few_seeds_leave_undecided_counts_where_validation_has_it_too(val, leads):
    scale = scale_of(forest(0.86, val=val, noise=6.0))
    assert {row.against.verdict for row in scale.rows} == {"undecided"}
    assert min(row.against.mean for row in scale.rows) > 2
    assert scale.leads == leads
    if leads:
        assert scale.sentence.startswith("A network may not be the best choice here")
        assert "undecided, but ahead on the validation splits too" in scale.sentence


def test_of_its_trials_validation_chooses_and_the_test_split_has_no_say():
    trials = [
        *forest(0.70, "random forest(min_samples_leaf=4)", leaf=4, val=0.9),
        *forest(0.95, leaf=1, val=0.6),
    ]
    scale = scale_of(trials)
    assert {row.at.label for row in scale.rows} == {"random forest"}
    assert not scale.leads
    assert all(row.against.mean < 0 for row in scale.rows)
    assert "random forest: min samples leaf chosen: 4 x 8 (2 trials a seed)" in scale.notes


def test_references_on_other_splits_are_not_compared_and_named():
    others = [replace(run, fingerprint="another") for run in forest(0.95)]
    found = answered(others)
    assert found.scale == {}
    assert "8 reference(s) on splits that no loss has" in found.left_out


def test_nothing_is_lost_at_eighty_columns():
    text = printed(answered(forest(0.94), forest(0.83, "hist gradient boosting, balanced")), 80)
    table = text[text.index("For scale, no networks") :].partition("A network")[0]
    assert max(map(len, table.splitlines()[1:])) <= 80
    for word in ("F1 argmax", "F1 tuned", "hist gradient", "balanced", "random forest", "["):
        assert word in table


def test_the_description_of_a_sweep_begins_with_the_answer_and_keeps_the_rest():
    lost, led = answered(forest(0.5)), answered(forest(0.95))
    first = described(lost, "`train.py -m`\n\n| job | run |\n| --- | --- |", "#/a/report.html")
    assert first.startswith(f"{ANSWER} ")
    assert first.partition("\n\n")[0].endswith("[The whole report](#/a/report.html)")
    assert first.endswith("`train.py -m`\n\n| job | run |\n| --- | --- |")
    again = described(led, first, "#/a/report.html")
    assert again.startswith(f"{ANSWER} A network is not the best choice here")
    for once in (ANSWER, "| loss | ", "**Recommendation.**", "report.html"):
        assert again.count(once) == 1


def test_by_prior_is_compared_with_argmax_where_it_is_asked_for_and_never_recommended():
    runs = [
        replace(
            run,
            metrics=run.metrics
            | {
                "test_prior_f1_macro": run.metrics["test_f1_macro"] + 0.1 * (run.label != "ce"),
                "val_prior_crossfit_f1_macro": 0.99,
                "val_prior_ece": 0.05,
            },
        )
        for run in LOSSES
    ]
    usual, asked = answered(runs=runs), answered(runs=runs, decision="prior")
    assert {one.decision for one in (*usual.comparisons, *usual.others)} == {"argmax", "tuned"}
    (by_prior,) = asked.comparisons
    assert (by_prior.decision, by_prior.mean) == ("prior", pytest.approx(12.0, abs=0.5))
    assert {one.decision for one in asked.others} == {"argmax"}
    assert repr(usual.comparisons) == repr(answered().comparisons)
    for one, other in zip(usual.recommendations, asked.recommendations, strict=True):
        assert (one.label, one.decision) == (other.label, other.decision)
