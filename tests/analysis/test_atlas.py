"""The atlas: each comparison in its cell, gains and losses told apart by their intervals."""

import pytest
from made_store import made_run

from src.analysis.atlas import Effort, Problem, draw_atlas, write_atlas

LARGE, SMALL = "[64, 64]", "[16]"


def cell(gains, *, ratio, hard, epochs, hidden):
    """Runs of one cell: cross-entropy at 60 %, focal loss that much better by seed."""
    facts = {
        "setting": f"{ratio} {hard} {epochs} {hidden}",
        "class_counts": (100 * ratio, 100),
        "params": {
            "data.name": "simulated",
            "data.hard_fraction": hard,
            "training.epochs": str(epochs),
            "model.hidden": hidden,
        },
    }
    runs = []
    for seed, gain in enumerate(gains):
        runs.append(made_run("ce", seed, 0.6, **facts))
        runs.append(made_run("focal(gamma=2)", seed, 0.6 + gain / 100, **facts))
    return runs


@pytest.fixture
def atlas():
    runs = [
        *cell([3.0, 4.0, 5.0], ratio=10, hard="0.1", epochs=10, hidden=SMALL),
        *cell([-3.0, -4.0, -5.0], ratio=100, hard="0.1", epochs=10, hidden=SMALL),
        *cell([2.0, -2.0, 0.5], ratio=10, hard="0.1", epochs=40, hidden=LARGE),
    ]
    return draw_atlas(runs, "ce", "focal")


def test_rows_are_problems_and_columns_are_budgets_and_capacities(atlas):
    assert atlas.problems == [Problem("simulated", 10, "0.1"), Problem("simulated", 100, "0.1")]
    assert atlas.efforts == [Effort(10, SMALL), Effort(40, LARGE)]
    assert len(atlas.cells) == 3


def test_a_cell_gains_or_loses_only_where_its_interval_leaves_out_zero(atlas):
    kinds = {key[0].ratio * 1000 + key[1].epochs: cell.kind for key, cell in atlas.cells.items()}
    assert kinds == {10_010: "gain", 100_010: "loss", 10_040: "open"}
    assert "of 3 cells, 1 gain, 1 lose, 1 cannot be told apart" in atlas.sentence


def test_colour_is_blue_for_gains_vermilion_for_losses_and_deeper_for_more(atlas):
    def channels(ratio):
        effort = Effort(10, SMALL)
        colour = atlas.cells[Problem("simulated", ratio, "0.1"), effort].colour
        return [int(part) for part in colour.removeprefix("rgb(").rstrip(")").split(",")]

    red, _, blue = channels(10)
    assert blue > red
    red, _, blue = channels(100)
    assert red > blue


def test_markdown_has_a_row_a_problem_with_losing_cells_beside_winning_ones(atlas):
    lines = atlas.markdown().splitlines()
    assert lines[0] == "| problem | 10 epochs, [16] | 40 epochs, [64, 64] |"
    assert lines[2].startswith("| simulated, 10 % hard negatives, ratio 10 | **+4.0 [3.")
    assert lines[3].startswith("| simulated, 10 % hard negatives, ratio 100 | **-4.0 [-")
    assert lines[3].endswith("|  |")


def test_the_page_needs_nothing_from_elsewhere(atlas, tmp_path):
    file = tmp_path / "atlas.html"
    write_atlas(file, atlas)
    page = file.read_text()
    assert atlas.sentence in page
    assert "http" not in page
    assert "<script" not in page
