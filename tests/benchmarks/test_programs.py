"""Every benchmark runs in a tiny form, and what it holds against each other is the same work.

Nothing here looks at how long anything took.
"""

import importlib
import json
import math

import numpy as np
import pytest

from benchmarks import big_store, clipping, focal, jobs, macro_f1, steps
from benchmarks.__main__ import programs
from benchmarks.made_runs import make_store
from src.runs.record import RunRecord, read_history

OWN = ("macro_f1", "focal", "clipping", "tracking", "commands", "big_store", "memory")


@pytest.mark.parametrize("name", OWN)
def test_a_program_prints_the_rows_that_it_writes_as_json(name, tmp_path, capsys):
    file = tmp_path / "found.json"
    program = importlib.import_module(f"benchmarks.{name}")
    assert program.main(["--tiny", "--rounds", "1", "--json", str(file)]) == 0
    table = capsys.readouterr().out
    rows = json.loads(file.read_text())["rows"]
    assert rows
    for row in rows:
        assert row["ratios"]
        assert all(math.isfinite(ratio) and ratio > 0 for ratio in row["ratios"])
        assert f"| {row['what']} | {row['against']} | " in table


def test_all_programs_are_found():
    assert set(OWN) <= programs().keys()
    assert programs().keys() - set(OWN) == {"sweep", "parallel"}  # minutes, even in a tiny form


def trained(model, x, y, count=3):
    for _ in range(count):
        logs = model.train_on_batch(x, y, return_dict=True)
    return logs


@pytest.mark.parametrize("form", ["one-hot", "integer"])
def test_both_macro_f1_count_the_same(form):
    steps.start()
    x, integers, one_hot = steps.batch_of(10)
    y = one_hot if form == "one-hot" else integers
    ours, theirs, _ = (trained(model, x, y) for model in macro_f1.models_of(10, form))
    assert ours["f1_macro"] == pytest.approx(theirs["f1_score"], abs=1e-6)
    assert ours["loss"] == pytest.approx(theirs["loss"], rel=1e-6)


def test_both_focal_losses_train_alike():
    steps.start()
    x, integers, one_hot = steps.batch_of(10)
    ours, theirs = focal.models_of(10)
    losses = trained(ours, x, integers)["loss"], trained(theirs, x, one_hot)["loss"]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    for mine, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(mine, other, atol=1e-5)


def test_both_ways_of_clipping_train_alike():
    steps.start()
    x, y, _ = steps.batch_of(clipping.CLASSES)
    ours, stock = clipping.models_of()
    logs = trained(ours, x, y)
    trained(stock, x, y)
    assert logs["clipped_fraction"] > 0
    for mine, other in zip(ours.get_weights(), stock.get_weights(), strict=True):
        np.testing.assert_allclose(mine, other, atol=1e-6)


def test_phases_add_up_to_no_more_than_the_run_and_leave_nothing_behind(tmp_path, tiny):
    from src import job

    before = job.describe_run
    jobs.start()
    words = (*tiny, f"tracking.root={tmp_path / 'store'}", "tracking.log_model=false")
    with jobs.phases() as taken:
        seconds = jobs.run_job(tmp_path / "run", *words)
    assert job.describe_run is before
    assert 0 < sum(taken.values()) <= seconds
    assert {jobs.OPENING, jobs.EPOCHS, jobs.RESULTS, "steps and validation"} <= taken.keys()
    metrics = RunRecord.load(tmp_path / "run").metrics
    best = max(row["val_f1_macro"] for row in read_history(tmp_path / "run" / "history.csv"))
    assert metrics["best_val_f1_macro"] == best


def test_the_start_of_a_run_scans_no_table_of_runs(tmp_path):
    tracking = make_store(tmp_path, 40)
    assert big_store.scans_of_a_start(tracking) == []
    assert "focal" in big_store.compared(tracking)
