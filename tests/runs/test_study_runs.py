"""A study as typed, to its end: what its runs keep, what is done again, and the report of them."""

import sqlite3
import urllib.request

import numpy as np
import pytest
import yaml
from mlflow.tracking import MlflowClient

from src.data.collections.openml import openml
from src.study import main
from tests.data.collections.dat_files import write
from tests.data.collections.test_openml import ARFF, Network, answers_of, rows_of

pytestmark = pytest.mark.slow

METHODS = (
    "hydra.sweeper.methods=['loss=ce training.learning_rate=0.003,0.03',"
    "'loss=focal loss.gamma=1,2 training.learning_rate=0.01']"
)
WORDS = (
    *("-m", "+experiment=study", "hydra/launcher=serial", "references=none", METHODS),
    *("training.epochs=2", "seed=0,1"),
)


def rows(seed, n=60):
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 4 == 0
    x = rng.normal(size=(n, 2)) + y[:, None]
    return [f"{a:.4f}, {b:.4f}, {'rare' if c else 'usual'}" for (a, b), c in zip(x, y, strict=True)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory, empty_store):
    """Made-up sets of KEEL, one with few rows of a class, and answers of OpenML in its cache."""
    folder = tmp_path_factory.mktemp("study")
    for number, name in enumerate(("ecoli1", "yeast1")):
        write(folder / "keel" / "imbalanced" / f"{name}.dat", rows(number))
    write(folder / "keel" / "imbalanced" / "glass9.dat", rows(2, 30))
    network = Network()
    network.answers = answers_of(ARFF + "\n".join(rows_of()))
    urllib.request.install_opener(urllib.request.build_opener(network))
    openml(id=7, root=str(folder / "openml"))
    urllib.request.install_opener(None)
    empty_store(folder / "mlruns")
    return folder


@pytest.fixture(scope="module")
def outcomes(folder, train_forked, tmp_path_factory):
    """The study over KEEL, the same once more, and that over a table of OpenML."""
    keel = (*WORDS, "data.root=keel")
    climb = (*WORDS, "suite=climb", "data.root=openml", "data.id=7")
    typed = [(keel, folder), (keel, folder), (climb, folder)]
    return train_forked(typed, tmp_path_factory.mktemp("child"))


@pytest.fixture(scope="module")
def runs_of(folder, outcomes):
    """The finished runs of an experiment, but for the sweeps'."""
    client = MlflowClient(f"sqlite:///{folder}/mlruns/mlflow.db")

    def runs(experiment):
        number = client.get_experiment_by_name(experiment).experiment_id
        found = client.search_runs([number], "attributes.status = 'FINISHED'")
        return client, [run for run in found if "identity" in run.data.tags]

    return runs


def test_it_ends_and_names_the_set_that_it_left_out(outcomes):
    first, *_ = outcomes
    assert first.status == 0, first.err
    assert "glass9: its rarest class has 8 rows, fewer than 15" in first.out
    assert "2 losses, 2 data sets," in first.out
    assert ": 16 runs" in first.out


def test_runs_keep_their_scores_and_config_alone(runs_of, folder):
    client, runs = runs_of("study")
    assert len(runs) == 2 * 2 * 2 * 2
    for run in runs:
        assert client.list_artifacts(run.info.run_id) == []
        config = yaml.safe_load(run.data.tags["config.yaml"])
        assert str(config["training"]["learning_rate"]) == run.data.params["training.learning_rate"]
        assert {"test_f1_macro", "val_tuned_crossfit_f1_macro"} <= run.data.metrics.keys()
        assert run.data.params["training.learning_rate"] in {"0.003", "0.03", "0.01"}
        assert len(client.get_metric_history(run.info.run_id, "test_f1_macro")) == 1
        assert "val_f1_macro" not in run.data.metrics
    assert {run.data.tags["data.family"] for run in runs} == {"ecoli", "yeast"}
    (sweep, _) = sorted((folder / "multirun").glob("*/*/sweep.json"))[:2]
    jobs = [one for one in sweep.parent.iterdir() if one.is_dir()]
    kept = {file.name for job in jobs for file in job.iterdir()}
    assert kept == {"config.yaml", "mlflow.json", "run.json", "train.log"}
    with sqlite3.connect(folder / "mlruns" / "mlflow.db") as store:
        assert store.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_the_same_study_again_trains_nothing(outcomes, runs_of):
    _, again, _ = outcomes
    assert again.status == 0, again.err
    assert again.out.count("✓ reused") == 16
    assert len(runs_of("study")[1]) == 16


def test_its_report_has_every_set_and_what_was_left_out(outcomes, folder, capsys):
    assert main(["--root", str(folder / "mlruns"), "--out", str(folder / "out")]) == 0
    assert "2 data sets of 2 families" in capsys.readouterr().out
    page = (folder / "out" / "evidence.md").read_text()
    assert "glass9: its rarest class has 8 rows" in page


def test_a_table_of_openml_is_studied_from_its_answers(outcomes, runs_of):
    *_, climb = outcomes
    assert climb.status == 0, climb.err
    _, runs = runs_of("study-climb")
    assert len(runs) == 2 * 2 * 2
    assert {run.data.tags["data"] for run in runs} == {"Wards"}


def test_a_run_of_scores_alone_is_executed_again_to_the_bit(runs_of, folder, monkeypatch, capsys):
    from src.reproduce import main as reproduce

    monkeypatch.chdir(folder)
    _, (run, *_) = runs_of("study")
    assert reproduce([run.info.run_id]) == 0
    assert "IDENTICAL" in capsys.readouterr().out
