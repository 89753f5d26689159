"""Which runs are compared: all that the store holds of them, and each mistake has its message."""

import math
from dataclasses import replace

import pytest
from made_store import COUNTS, SEEDS, log_run, metrics_of

from src.analysis.answer import answer
from src.analysis.selection import select_runs
from src.analysis.statistics.losses import not_compared
from src.analysis.statistics.paired import compare
from src.errors import UserError


@pytest.fixture(scope="module")
def mixed(made):
    """A second experiment: odd numbers, and a run that was deleted."""
    client = made.client
    experiment = client.create_experiment("odd", (made.root / "odd").as_uri())
    numbers = {"test_f1_macro": 0.5, "nan": math.nan, "inf": math.inf, "minus": -math.inf}
    log_run(client, experiment, "ce", 0, numbers)
    gone = log_run(client, experiment, "focal(gamma=2)", 1, {"test_f1_macro": 0.9})
    client.delete_run(gone)
    return made


def test_every_run_comes_with_all_that_was_logged_from_however_many_pages(made, monkeypatch):
    monkeypatch.setattr("src.tracking.store.PAGE", 2)
    runs = {run.run_id: run for run in select_runs(str(made.root)).runs}
    assert set(runs) == set(made.run_ids.values())
    for (label, seed), run_id in made.run_ids.items():
        run = runs[run_id]
        assert (run.label, run.seed, run.params["seed"]) == (label, seed, str(seed))
        expected = metrics_of(made.predictions[label, seed]) | {"best_epoch": 3}
        assert run.metrics == pytest.approx(expected)
        assert (run.class_names, run.class_counts) == (("many", "few"), COUNTS)
        assert run.artifacts.endswith(f"{run_id}/artifacts")
        assert run.ended_ms > 0


def test_numbers_that_are_none_come_back(mixed):
    (run,) = select_runs(str(mixed.root), experiment="odd").runs
    assert run.metrics["test_f1_macro"] == 0.5
    assert math.isnan(run.metrics["nan"])
    assert run.metrics["inf"] > 1e300
    assert run.metrics["minus"] < -1e300


def test_the_last_sweep_is_the_default_and_an_id_names_one(made):
    last, named = select_runs(str(made.root)), select_runs(str(made.root), sweep_id=made.sweep_id)
    assert last == named
    assert {(run.label, run.seed) for run in last.runs} == set(made.run_ids)
    assert last.command == "train.py -m loss=ce,focal"


def test_where_all_runs_of_a_loss_failed_the_error_names_them_until_they_are_trained_again(made):
    experiment = made.client.create_experiment("all failed", (made.root / "failed").as_uri())
    for label, status in (("ce", "FINISHED"), ("focal(gamma=2)", "FAILED")):
        log_run(made.client, experiment, label, 0, {"test_f1_macro": 0.5}, status=status)
    found = select_runs(str(made.root), experiment="all failed")
    with pytest.raises(UserError, match=r"nothing to compare.*focal\(gamma=2\) seed 0: FAILED"):
        answer(found, "ce", 2.0, "argmax")
    log_run(made.client, experiment, "focal(gamma=2)", 0, {"test_f1_macro": 0.5})  # once more
    assert select_runs(str(made.root), experiment="all failed").left_out == []


def test_an_experiment_has_the_runs_of_others_that_answered_its_sweeps(made):
    client, numbers = made.client, {"test_f1_macro": 0.5}
    first = client.create_experiment("trained", (made.root / "trained").as_uri())
    second = client.create_experiment("answered", (made.root / "answered").as_uri())
    used, _ = (log_run(client, first, "ce", seed, numbers) for seed in (0, 1))
    own = log_run(client, second, "ce", 2, numbers)
    sweep = client.create_run(second, tags={"sweep.command": "train.py -m loss=ce"})
    client.set_tag(used, f"sweep.{sweep.info.run_id}", "0")
    found = select_runs(str(made.root), experiment="answered")
    assert {run.run_id for run in found.runs} == {used, own}


def test_a_filter_is_mlflows_search_syntax(made):
    condition = "tags.loss != 'weighted_ce' AND params.seed != '3'"
    found = select_runs(str(made.root), experiment="made by hand", condition=condition)
    assert {run.loss for run in found.runs} == {"ce", "focal"}
    assert {run.seed for run in found.runs} == set(SEEDS) - {3}
    assert not found.sweep_id


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sweep_id": "abc"}, r"--sweep abc: no such sweep in sqlite:.*parent run"),
        ({"experiment": "nope"}, r"--experiment nope: no such experiment; there are.*made by hand"),
        ({"condition": "loss is ce"}, r"--filter loss is ce: .*Right is MLflow's search syntax"),
        ({"condition": "tags.loss = 'hinge'"}, r"holds no finished run"),
        ({"sweep_id": "a", "experiment": "b"}, r"--sweep: names the runs alone"),
    ],
)
def test_a_mistake_is_named_with_what_would_be_right(made, arguments, message):
    with pytest.raises(UserError, match=message):
        select_runs(str(made.root), **arguments)


def test_without_a_store_or_a_sweep_it_says_how_to_make_one(tmp_path):
    with pytest.raises(UserError, match=r"no store yet; python train\.py"):
        select_runs(str(tmp_path / "none"))


def test_runs_that_no_comparison_holds_are_named(made):
    runs = select_runs(str(made.root)).runs
    lonely = replace(runs[0], label="ldam", loss="ldam", seed=99)
    older = replace(runs[0], ended_ms=1)
    everything = [*runs, lonely, older]
    assert not_compared(everything, compare(everything)) == [
        "1 run is older than another of the same loss, setting and seed",
        "without a pair: ldam on made, mlp (seed 99)",
    ]
