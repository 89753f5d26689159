"""Processes side by side: one trains a run, the other answers from it; the bits are the same."""

import json

import pytest

from tests.reliability.recorded import numbers_in, results, runs_of

WORDS = (
    "model.dropout=0.3",
    "data.n_samples=400",
    "data.minority_fraction=0.2",
    "training.epochs=3",
    "tracking.plots=false",
)


@pytest.fixture(scope="module")
def side_by_side(forks, tmp_path_factory):
    """Three processes in one folder at once: two of them with the same config."""
    folder = tmp_path_factory.mktemp("together")
    children = [forks.start((*WORDS, f"seed={seed}"), folder) for seed in (0, 0, 1)]
    assert [child.wait() for child in children] == [0, 0, 0], (folder / "output.txt").read_text()
    return folder


def test_of_two_processes_with_one_config_one_trains_and_the_other_answers(side_by_side):
    trained = list(side_by_side.glob("outputs/*/*/run.json"))
    (answered,) = side_by_side.glob("outputs/*/*/answered.json")
    assert len(trained) == 2
    answer = json.loads(answered.read_text())
    (source,) = [
        json.loads(file.read_text())
        for file in trained
        if json.loads(file.read_text())["metadata"]["name"] == answer["name"]
    ]
    assert answer["metrics"].items() >= source["metrics"].items()
    jobs, _ = runs_of(side_by_side / "mlruns")
    assert [run.info.status for run in jobs] == ["FINISHED", "FINISHED"]


def test_processes_that_start_at_once_make_one_store(side_by_side):
    assert len(results(side_by_side / "mlruns")) == 2
    assert not list(side_by_side.glob("mlruns/mlflow.db.part*"))


def test_side_by_side_and_one_after_the_other_give_the_same_bits(side_by_side, run_here, tmp_path):
    folders = {}
    for file in side_by_side.glob("outputs/*/*/run.json"):
        folders[json.loads(file.read_text())["metadata"]["tags"]["seed"]] = file.parent
    for seed in ("0", "1"):
        run_here(
            tmp_path / seed, *WORDS, f"seed={seed}", "tracking=none", f"tracking.root={tmp_path}"
        )
        alone, together = numbers_in(tmp_path / seed), numbers_in(folders[seed])
        assert alone == together
