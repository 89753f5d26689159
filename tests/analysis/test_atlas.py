"""The atlas: each comparison in its cell, judged together, shrunken towards all the others."""

import re

import numpy as np
import pandas as pd
import pytest
from made_store import made_run
from scipy import stats

from src.analysis.atlas.grid import draw_atlas, judge
from src.analysis.atlas.page import colour, sections, write_atlas
from src.analysis.atlas.pooling import mean_of, pool
from src.analysis.report.sections import markdown
from src.errors import UserError

FOCAL, SHORT = "focal(gamma=2)", "focal γ2"
HARD = "simulated, 10% hard negatives"
RATES = {"0.001": 0.0, "0.01": 0.2}
"""Learning rates, and how much better cross-entropy is on validation and test."""


def cell(gains, *, ratio=10, epochs=20, hidden="[32]", tuned=0.0, **params):
    """Runs of one cell: focal loss better by so many points at 0.001, and by half of it at 0.01."""
    runs = []
    for rate, better in RATES.items():
        for seed, gain in enumerate(gains):
            for label in ("ce", FOCAL):
                share = (label == FOCAL) * (1.0 if rate == "0.001" else 0.5) / 100
                f1 = 0.6 + better + share * gain
                run = made_run(
                    label,
                    seed,
                    f1,
                    f1 + share * tuned,
                    setting=f"{rate} {ratio} {epochs} {hidden} {params}",
                    run_id=f"{rate} {ratio} {epochs} {hidden} {params} {label} {seed}",
                    class_counts=(100 * ratio, 100),
                    data="simulated",
                    params={
                        "data.hard_fraction": "0.1",
                        "data.ratio": str(ratio),
                        "training.epochs": str(epochs),
                        "training.learning_rate": rate,
                        "model.hidden": hidden,
                        **params,
                    },
                )
                run.metrics.update(val_crossfit_f1_macro=f1, val_tuned_crossfit_f1_macro=f1)
                run.metrics["test_ece"] = 0.05 if label == FOCAL else 0.02
                runs.append(run)
    return runs


@pytest.fixture(scope="module")
def runs():
    return [
        *cell([3.0, 4.0, 5.0, 4.2], tuned=-9),
        *cell([-3.0, -4.0, -5.0, -4.1], ratio=100, tuned=-9),
        *cell([2.0, -2.0, 0.5, -0.4], epochs=40, tuned=-9),
    ]


@pytest.fixture(scope="module")
def atlas(runs):
    return draw_atlas(runs, "ce")


def of_chart(frame, decision="argmax", view="given"):
    return frame.query("decision == @decision and view == @view")


def test_a_chart_has_each_cell_at_the_given_rate_and_each_loss_at_its_best(runs, atlas):
    assert [tuple(chart) for chart in atlas.charts[["loss", "decision", "view"]].to_numpy()] == [
        (FOCAL, "argmax", "best"),
        (FOCAL, "argmax", "given"),
        (FOCAL, "tuned", "best"),
        (FOCAL, "tuned", "given"),
    ]
    assert atlas.runs == len(runs)
    given, best = of_chart(atlas.cells), of_chart(atlas.cells, view="best")
    assert given["problem"].tolist() == [f"{HARD}, ratio {ratio}" for ratio in (10, 10, 100)]
    assert given["effort"].tolist() == [f"{epochs} epochs, [32]" for epochs in (20, 40, 20)]
    assert given["mean"].tolist() == pytest.approx([4.05, 0.025, -4.025])
    assert best["mean"].tolist() == pytest.approx([2.025, 0.0125, -2.0125])
    assert best["base"].tolist() == pytest.approx([0.8] * 3)
    (overall,) = of_chart(atlas.charts)["overall"]
    assert overall.mean == pytest.approx(given["mean"].mean())


def test_the_budget_is_a_factor_and_not_tuned(atlas):
    assert atlas.rates == {
        (label, epochs): {"0.01": seeds}
        for label in ("ce", FOCAL)
        for epochs, seeds in (("20", 8), ("40", 4))
    }


def test_q_is_that_of_t_tests_over_all_charts_and_views_together(atlas):
    gains = [3.0, 4.0, 5.0, 4.2], [-3.0, -4.0, -5.0, -4.1], [2.0, -2.0, 0.5, -0.4]
    found = [
        stats.ttest_1samp(np.add(of_cell, tuned), 0).pvalue
        for tuned in (0, -9)
        for of_cell in gains
    ]
    q = stats.false_discovery_control(found * 2)  # half the gain at half the spread: the same t
    assert sorted(atlas.cells["q"]) == pytest.approx(sorted(q))
    assert atlas.discoveries.startswith(
        "Of the 12 comparisons on this page, 10 are bold: q < 0.05,"
    )
    assert (
        atlas.charts[["gain", "lose", "open"]].to_numpy().tolist()
        == [[1, 1, 1]] * 2 + [[0, 3, 0]] * 2
    )


def test_the_levels_of_each_factor_count_the_cells_that_have_it(atlas):
    levels = of_chart(atlas.levels).set_index("level")
    assert levels.loc["ratio 10", ["gain", "lose", "open"]].tolist() == [1, 0, 1]
    assert levels.loc["ratio 10", "overall"].mean == pytest.approx((4.05 + 0.025) / 2)
    assert levels.loc[HARD, ["gain", "lose", "open"]].sum() == 3


def test_what_stands_beside_is_the_mean_difference_in_hundredths(atlas):
    (ece,) = of_chart(atlas.charts)["ECE"]
    assert ece.mean == pytest.approx(3.0)
    assert of_chart(atlas.charts)["average precision"].tolist() == [""]


def test_the_ratio_is_the_one_asked_for_or_counted_to_two_digits_and_details_name_the_problem():
    noisy = cell([1.0, 2.0, 1.0], ratio=199, **{"data.flip_y": "0.2", "data.problem": "3"})
    asked = cell([1.0, 2.0, 1.0], ratio=108, **{"data.imbalance_ratio": "100.0"})
    problems = of_chart(draw_atlas([*noisy, *asked], "ce").cells)["problem"]
    assert [problem.removeprefix("simulated, ") for problem in problems] == [
        "10% hard negatives, ratio 100",
        "problem 3, 10% hard negatives, 20% random labels, ratio 200",
    ]


def test_losses_can_be_chosen_and_one_without_runs_is_named(runs):
    assert draw_atlas(runs, "ce", ["focal"]).charts["loss"].unique().tolist() == [FOCAL]
    with pytest.raises(
        UserError, match=r"--loss ldam: no such loss.* there are 'focal\(gamma=2\)'"
    ):
        draw_atlas(runs, "ce", ["focal", "ldam"])


SCHOOLS = [28, 8, -3, 7, -1, 1, 18, 12]
SCHOOL_ERRORS = [15, 10, 16, 11, 9, 11, 10, 18]


def test_shrunken_effects_of_the_eight_schools_are_those_of_the_literature():
    """Gelman et al. 2013, section 5.5: posterior means, rounded to whole points."""
    schools = pd.DataFrame(np.diag(np.array(SCHOOLS, float)))
    schools = schools.where(np.eye(len(SCHOOLS), dtype=bool))
    errors, df = pd.Series(SCHOOL_ERRORS, dtype=float), pd.Series([1e9] * len(SCHOOLS))
    between, cells = pool(schools, errors, df)
    published = [11, 8, 6, 8, 5, 6, 11, 8]
    assert cells["shrunken_mean"].tolist() == pytest.approx(published, abs=0.8)
    assert between == pytest.approx(6.6, abs=0.3)
    assert cells["shrunken_low"].iloc[0] == pytest.approx(11.4 - 1.96 * 8.3, abs=1.0)


def simulated_page(random, null=0.0):
    """Effects and differences: 7 and 5 cells that share ten seeds, two losses against one other."""
    truth = np.where(random.random((2, 12)) < null, 0.0, random.normal(1, 2, (2, 12)))
    noise = random.normal(size=(3, 10, 12))
    noise[:, :, :7] += random.normal(size=(3, 10, 1))  # of the seed, the same in all cells
    noise[:, :, 7:] += random.normal(size=(3, 10, 1))
    spread = np.exp(random.normal(0.8, 0.6, 12))
    differences = truth[:, None] + spread * (noise[:2] - noise[2])
    page = np.full((2, 20, 12), np.nan)
    page[:, :10, :7], page[:, 10:, 7:] = differences[:, :, :7], differences[:, :, 7:]
    return pd.Series(truth.ravel()), pd.DataFrame(np.hstack(page))


PAGES = 100


@pytest.fixture(scope="module")
def pages():
    random = np.random.default_rng(0)
    return [simulated_page(random, null) for null in (0.0, 0.8) for _ in range(PAGES)]


def test_intervals_of_shrunken_cells_and_of_the_mean_hold_the_truth(pages):
    held, mean_held, errors = [], [], []
    for truth, differences in pages:
        noise, df = differences.sem(), differences.count() - 1
        _, cells = pool(differences, noise, df)
        held.append(truth.between(cells["shrunken_low"], cells["shrunken_high"]).mean())
        mean = mean_of(differences, noise, df)
        mean_held.append(mean.low <= truth.mean() <= mean.high)
        guesses = (cells["shrunken_mean"], differences.mean())
        errors.append([(guess - truth).pow(2).mean() for guess in guesses])
    assert 0.93 <= np.mean(held) <= 0.99
    assert 0.92 <= np.mean(mean_held) <= 1.0
    shrunken, alone = np.sqrt(np.mean(errors, axis=0))
    assert shrunken < 0.85 * alone


def test_false_discoveries_stay_below_a_twentieth_though_cells_share_seeds_and_baseline():
    random = np.random.default_rng(1)
    corrected, alone = [], []
    for _ in range(400):
        truth, differences = simulated_page(random, null=0.8)
        mean, df = differences.mean(), differences.count() - 1
        p = 2 * stats.t.sf((mean / differences.sem()).abs(), df)
        judged = judge(pd.DataFrame({"mean": mean, "p": p}))
        for bold, shares in ((judged["kind"] != "open", corrected), (judged["p"] < 0.05, alone)):
            shares.append((bold & (truth == 0)).sum() / max(bold.sum(), 1))
    assert np.mean(corrected) <= 0.05
    assert np.mean(alone) > 0.1


def test_a_loss_that_never_differs_from_the_baseline_is_no_discovery():
    cells = draw_atlas(cell([0.0] * 4), "ce").cells
    assert set(cells["p"]) == {1.0}
    assert set(cells["kind"]) == {"open"}
    alike = pd.DataFrame({0: [0.0] * 5, 1: [1.0, 2, 3, 2, 1]})
    _, pulled = pool(alike, alike.sem(), alike.count() - 1)
    assert pulled["shrunken_mean"].iloc[0] == pytest.approx(0, abs=0.05)


def test_colour_is_blue_for_gains_vermilion_for_losses_and_deeper_for_more():
    def channels(mean):
        return [int(part) for part in colour(mean).removeprefix("rgb(").rstrip(")").split(",")]

    (red, _, blue), (redder, _, bluer) = channels(4.0), channels(-4.0)
    assert blue > red
    assert redder > bluer
    assert channels(8.0)[0] < red


def test_markdown_has_both_views_of_a_cell_side_by_side(atlas):
    text = markdown(sections(atlas))
    assert f"### {SHORT} against ce, decision argmax" in text
    head = "| problem | effort | ce, best | all at 0.001 | each at its best | shrunken |"
    assert head in text.splitlines()
    row = (
        rf"{HARD}, ratio 10 \| 20 epochs, \[32\] \| 0.800 \| \*\*\+4.[01] \[.*\*\* \| \*\*\+2.0 \["
    )
    assert re.search(row, text)
    assert f"| {SHORT} | argmax | all at 0.001 | 1 | 1 | 1 | +0.0 [" in text


def test_the_page_shows_every_chart_and_needs_nothing_from_elsewhere(atlas, tmp_path):
    file = tmp_path / "atlas.html"
    write_atlas(file, atlas)
    page = file.read_text()
    for decision in ("argmax", "tuned"):
        assert f"{SHORT} against ce, decision {decision}" in page
    for mean in atlas.cells["mean"]:
        assert f"{mean:+.1f} [" in page
    assert not re.search("http|<script|src=", page)
