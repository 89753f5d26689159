"""The atlas: each comparison in its cell, gains and losses told apart by their intervals."""

import re

import pytest
from made_store import made_run

from src.analysis.atlas.grid import draw_atlas
from src.analysis.atlas.page import colour, markdown, summary, write_atlas

LARGE, SMALL = "[64, 64]", "[16]"
FOCAL = "focal(gamma=2)"
HARD = "simulated, 10 % hard negatives"


def cell(gains, *, ratio, hard, epochs, hidden, tuned=0.0):
    """Runs of one cell: cross-entropy at 60 %, focal loss that much better by seed."""
    facts = {
        "setting": f"{ratio} {hard} {epochs} {hidden}",
        "class_counts": (100 * ratio, 100),
        "data": "simulated",
        "params": {
            "data.hard_fraction": hard,
            "training.epochs": str(epochs),
            "model.hidden": hidden,
        },
    }
    runs = []
    for seed, gain in enumerate(gains):
        for label, f1, ece in (("ce", 0.6, 0.02), (FOCAL, 0.6 + gain / 100, 0.05)):
            run = made_run(label, seed, f1, f1 + tuned / 100 * (label == FOCAL), **facts)
            runs.append(run)
            run.metrics["test_ece"] = ece
    return runs


@pytest.fixture
def runs():
    return [
        *cell([3.0, 4.0, 5.0], ratio=10, hard="0.1", epochs=10, hidden=SMALL, tuned=-9),
        *cell([-3.0, -4.0, -5.0], ratio=100, hard="0.1", epochs=10, hidden=SMALL, tuned=-9),
        *cell([2.0, -2.0, 0.5], ratio=10, hard="0.1", epochs=40, hidden=LARGE, tuned=-9),
    ]


@pytest.fixture
def atlas(runs):
    return draw_atlas(runs, "ce")


@pytest.fixture
def chart(atlas):
    return atlas.charts[0]


def test_there_is_a_chart_for_each_loss_and_decision(runs, atlas):
    assert [(one.loss, one.decision) for one in atlas.charts] == [
        (FOCAL, "argmax"),
        (FOCAL, "tuned"),
    ]
    assert atlas.runs == len(runs)
    assert [one.count("loss") for one in atlas.charts] == [1, 3]


def test_rows_are_problems_and_columns_are_budgets_and_capacities(chart):
    assert chart.problems == [f"{HARD}, ratio 10", f"{HARD}, ratio 100"]
    assert chart.efforts == [f"10 epochs, {SMALL}", f"40 epochs, {LARGE}"]
    assert len(chart.cells) == 3


def test_a_cell_gains_or_loses_only_where_its_interval_leaves_out_zero(chart):
    kinds = {(cell.ratio, cell.epochs): cell.kind for cell in chart.cells.itertuples()}
    assert kinds == {(10, 10): "gain", (100, 10): "loss", (10, 40): "open"}
    assert "of 3 cells, 1 gain, 1 lose, 1 cannot be told apart" in chart.sentence


def test_the_levels_of_each_factor_count_the_cells_that_have_it(chart):
    levels = {level.name: level for level in chart.levels.itertuples()}
    ten = levels["ratio 10"]
    assert (ten.cells, ten.gain, ten.loss) == (2, 1, 0)
    assert ten.mean == pytest.approx((4.0 + 0.5 / 3) / 2)
    assert levels["10 epochs"].mean == pytest.approx(0.0)
    assert levels[SMALL].loss == 1
    assert levels[HARD].cells == 3


def test_calibration_is_the_mean_difference_over_the_pairs(chart):
    assert chart.calibration == pytest.approx(0.03)


def test_the_ratio_is_the_one_asked_for_or_counted_to_two_digits():
    counted = cell([1.0, 2.0], ratio=199, hard="0.1", epochs=10, hidden=SMALL)
    asked = cell([1.0, 2.0], ratio=108, hard="", epochs=10, hidden=SMALL)
    for run in asked:
        run.params["data.imbalance_ratio"] = "100.0"
    problems = draw_atlas([*counted, *asked], "ce").charts[0].problems
    assert [name.rpartition(" ")[2] for name in problems] == ["100", "200"]


def test_colour_is_blue_for_gains_vermilion_for_losses_and_deeper_for_more():
    def channels(mean):
        return [int(part) for part in colour(mean).removeprefix("rgb(").rstrip(")").split(",")]

    (red, _, blue), (redder, _, bluer) = channels(4.0), channels(-4.0)
    assert blue > red
    assert redder > bluer
    assert channels(8.0)[0] < red


def test_markdown_has_a_row_a_problem_with_losing_cells_beside_winning_ones(atlas):
    lines = markdown(atlas).splitlines()
    assert lines[0] == f"### {FOCAL} against ce, decision argmax"
    assert lines[2] == "| problem | 10 epochs, [16] | 40 epochs, [64, 64] |"
    assert lines[4].startswith("| simulated, 10 % hard negatives, ratio 10 | **+4.0 [1.5, 6.5]**")
    assert lines[5].startswith(
        "| simulated, 10 % hard negatives, ratio 100 | **-4.0 [-6.5, -1.5]**"
    )
    assert lines[5].endswith("|  |")
    assert f"| {FOCAL} | argmax | 3 | 1 | 1 | 1 | +0.030 |" in summary(atlas)


def test_the_page_shows_every_chart_and_needs_nothing_from_elsewhere(atlas, tmp_path):
    file = tmp_path / "atlas.html"
    write_atlas(file, atlas)
    page = file.read_text()
    for chart in atlas.charts:
        assert chart.sentence in page
        for text in chart.cells["text"]:
            assert text in page
    assert not re.search("http|<script|src=", page)
