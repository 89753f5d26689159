"""The forecast: the pace of runs that were done, held against jobs that were not."""

import math

import pytest
from made_store import log_run, made_run
from mlflow.entities import Param
from mlflow.tracking import MlflowClient

from src.analysis.pace import pace_of
from src.errors import UserError
from src.forecast import main

HOUR = 3_600_000
SWEEP = "+experiment=atlas_digits loss=ce,focal training.epochs=10,40 model.hidden=[16] seed=0,1"
SWEEP += " training.learning_rate=0.001"


def ended(number, seconds, epochs, data="digits"):
    run = made_run(
        "ce",
        number,
        0.5,
        ended_ms=HOUR + round(1000 * seconds),
        params={"data.name": data, "training.epochs": str(epochs)},
    )
    run.metrics["seconds_fit"] = 3.0
    return run


def test_a_run_takes_the_time_since_the_one_before_it_ended():
    # The first ends after a pause, so its own 3 s count; then 5 s for 40 epochs, 2 s for 10.
    pace = pace_of([ended(0, 0, 20), ended(1, 5, 40), ended(2, 7, 10)])
    assert pace.seconds("digits", 10) == pytest.approx(2.0, abs=0.05)
    assert pace.seconds("digits", 40) == pytest.approx(5.0, abs=0.05)
    assert pace.seconds("digits", 160) == pytest.approx(17.0, abs=0.3)


def test_an_unknown_data_set_takes_what_the_known_ones_do():
    pace = pace_of([ended(0, 0, 10), ended(1, 3, 10), ended(2, 6, 10)])
    assert pace.seconds("new", 10) == pytest.approx(3.0)
    assert math.isnan(pace_of([]).seconds("new", 10))


@pytest.fixture(scope="module")
def store(tmp_path_factory, empty_store):
    """One finished run of the sweep, and one of another width."""
    root = tmp_path_factory.mktemp("forecast") / "mlruns"
    empty_store(root)
    client = MlflowClient(f"sqlite:///{root}/mlflow.db")
    experiment = client.create_experiment("atlas", artifact_location=str(root / "artifacts"))
    for width in ("[16]", "[64, 64]"):
        metrics = {"test_f1_macro": 0.5, "seconds_fit": 30.0}
        run_id = log_run(client, experiment, "ce", 0, metrics)
        swept = {"loss.name": "ce", "model.hidden": width, "data.imbalance_ratio": "1.0"}
        params = swept | {"data.name": "digits"}
        client.log_batch(run_id, params=[Param(key, value) for key, value in params.items()])
    return root


def test_jobs_that_the_store_has_are_done_and_the_others_are_to_go(store, capsys):
    words = f"{SWEEP} data.imbalance_ratio=1.0 training.epochs=5,40"
    assert main([words, "--root", str(store)]) == 0
    shown = capsys.readouterr().out
    assert ": 8 jobs, 1 done, " in shown
    assert "In all about " in shown


def test_the_sweeps_own_lists_count_and_those_typed_win(store, capsys):
    """The sweep has 20 seeds of its own."""
    assert main(["+experiment=atlas_digits atlas=full seed=3,4", "--root", str(store)]) == 0
    assert ": 720 jobs, 0 done" in capsys.readouterr().out  # 4 losses x 3 x 3 x 5 x 2 ratios x 2


def test_without_a_run_to_go_by_the_time_is_not_known(store, capsys):
    words = "loss=ce,focal tracking.experiment=new"
    assert main([words, "--root", str(store)]) == 0
    told = "2 jobs, 0 done, time not known: no run of experiment new has ended yet\n"
    assert capsys.readouterr().out == f"{words}: {told}"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["loss='ce"], "loss='ce: a quote is opened and not closed"),
        (["loss=ce,focal", "seed=0,1"], "in quotes: python -m src.forecast 'loss=ce,focal seed=0,"),
    ],
)
def test_a_sweep_that_is_not_quoted_as_it_should_be_is_a_mistake(words, said):
    with pytest.raises(UserError, match=said):
        main(words)
