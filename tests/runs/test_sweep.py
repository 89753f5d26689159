"""The sweep as typed, and what its jobs leave on disk."""

import base64
import csv
import json
import zlib

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, f1_score

from src.sweeps.table import collect_rows, print_table
from src.tracking.store import Store
from src.tracking.ui_views import ALL_RUNS, TAG

FILES = {
    "config.yaml",
    "history.csv",
    "predictions.npz",
    "confusion_matrix.csv",
    "model.keras",
    "run.json",
}
JOBS = ("0", "3", "4", "5")
"""Cross-entropy uses no gamma: jobs 1 and 2 are job 0 again."""


@pytest.fixture(params=JOBS)
def job(sweep, request):
    return sweep.folder / request.param


def history(folder):
    with (folder / "history.csv").open(newline="") as stream:
        return [
            {name: float(value) for name, value in row.items()} for row in csv.DictReader(stream)
        ]


def record(folder):
    return json.loads((folder / "run.json").read_text())


def table_rows(out):
    """Cells of the printed table by head: run, job, test F1, val F1, seconds, result."""
    table = out.partition("Runs, best validation macro F1 first\n")[2]
    head, _, *rows = [
        line for line in table.partition("\nResults:")[0].splitlines() if line.strip()
    ]
    names = head.split("  ")
    names = [name.strip() for name in names if name.strip()]
    # only the seconds of a reused run are missing, and what came of a run stands last
    cells = [[cell.strip() for cell in row.split("  ") if cell.strip()] for row in rows]
    filled = [one if len(one) == len(names) else [*one[:-1], "", one[-1]] for one in cells]
    return [dict(zip(names, one, strict=True)) for one in filled]


def test_six_jobs_are_four_experiments_trained_once_each(sweep):
    assert sweep.outcome.status == 0, sweep.outcome.err
    assert "Sweep of 6 jobs, 4 different experiments." in sweep.outcome.out
    assert sweep.outcome.out.count("✓ reused") == 2
    assert tuple(folder.name for folder in sweep.trained) == JOBS
    answered = {file.parent.name for file in sweep.folder.glob("*/answered.json")}
    assert answered == {"1", "2"}


def test_an_answered_job_has_the_scores_of_the_run_that_answers(sweep):
    of_job_0 = record(sweep.folder / "0")["metrics"]
    for number in ("1", "2"):
        answer = json.loads((sweep.folder / number / "answered.json").read_text())
        assert answer["metrics"]["test_f1_macro"] == of_job_0["test_f1_macro"]


def test_nothing_but_the_runs_is_on_the_terminal(sweep):
    assert sweep.outcome.err == ""
    assert not [line for line in sweep.outcome.out.splitlines() if "WARNING" in line]


def test_the_table_at_the_end_has_all_jobs_best_on_validation_first(sweep):
    rows = table_rows(sweep.outcome.out)
    assert sorted(row["job"] for row in rows) == list("012345")
    scores = [float(row["val F1"]) for row in rows]
    assert scores == sorted(scores, reverse=True), "by validation, in which the test has no part"
    for row in rows:
        if row["job"] in JOBS:
            metrics = record(sweep.folder / row["job"])["metrics"]
            assert row["test F1"] == f"{metrics['test_f1_macro']:.4f}"
            assert row["result"] == "trained"
        else:
            assert row["result"].startswith("reused ")


def test_lines_of_jobs_have_one_width_whether_trained_or_reused(sweep):
    lines = [line for line in sweep.outcome.out.splitlines() if line.startswith("✓ ")]
    assert len(lines) == 6
    assert len({line.index("test F1") for line in lines}) == 1
    assert len({line.index("  val ") for line in lines}) == 1


def test_a_sweep_over_losses_ends_with_its_comparison_which_with_one_seed_knows_no_spread(sweep):
    last = sweep.outcome.out[sweep.outcome.out.rindex("\nAnswer: ") :]
    assert "one seed: spread unknown; add 'seed=range(0,10)'" in last
    assert "PASS" not in sweep.outcome.out
    assert "FAIL" not in sweep.outcome.out
    assert last.splitlines()[-1].startswith("Report: mlruns")


def test_many_seeds_are_one_row_a_loss(tmp_path, capsys):
    """Two losses, ten seeds; cross-entropy was asked for twice and trained once."""
    jobs = [(name, seed) for name in ("ce", "focal γ2", "ce") for seed in range(10)]
    for number, (name, seed) in enumerate(jobs):
        full, f1 = f"{name} · mlp · digits · seed {seed}", 0.5 + 0.01 * seed + (name != "ce")
        found = {"answered_from": "a1b2c3d4e5", "name": full}
        scores = {"test_f1_macro": f1, "best_val_f1_macro": f1, "seconds_fit": 1.0}
        (tmp_path / str(number)).mkdir()
        file = tmp_path / str(number) / "answered.json"
        file.write_text(json.dumps(found | {"metrics": scores}))
    rows = collect_rows(tmp_path)
    assert [row.name for row in rows] == ["focal γ2 · mlp · digits", "ce · mlp · digits"]
    print_table(rows)
    first, second = [
        line.split() for line in capsys.readouterr().out.splitlines() if "seeds " in line
    ][-2:]
    spread = f"{np.std(0.01 * np.arange(10), ddof=1):.4f}"
    assert first[:7] == ["focal", "γ2", "10", "seeds", "1.5450", "±", spread]
    assert second[:6] == ["ce", "10", "seeds", "0.5450", "±", spread]


def test_a_trained_job_leaves_everything_on_disk(job):
    assert {file.name for file in job.iterdir()} >= FILES


def test_the_recorded_macro_f1_is_that_of_the_predictions(job):
    with np.load(job / "predictions.npz") as arrays:
        y, said = arrays["y_test"], arrays["test_logits"].argmax(1)
        classes = range(len(arrays["class_names"]))
    oracle = f1_score(y, said, average="macro", labels=classes, zero_division=0)
    assert record(job)["metrics"]["test_f1_macro"] == pytest.approx(oracle, abs=1e-12)
    counts = np.loadtxt(job / "confusion_matrix.csv", delimiter=",", skiprows=1)
    np.testing.assert_array_equal(counts, confusion_matrix(y, said, labels=classes))


def test_the_best_epoch_is_the_first_with_the_highest_validation_macro_f1(job):
    by_epoch = [row["val_f1_macro"] for row in history(job)]
    assert len(by_epoch) == 4
    assert record(job)["best_epoch"] == int(np.argmax(by_epoch)) + 1
    assert record(job)["metrics"]["best_val_f1_macro"] == pytest.approx(max(by_epoch), abs=1e-6)


def test_the_saved_predictions_are_those_of_the_best_epoch(job):
    best = history(job)[record(job)["best_epoch"] - 1]
    with np.load(job / "predictions.npz") as arrays:
        y, said = arrays["y_val"], arrays["val_logits"].argmax(1)
    assert best["val_f1_macro"] == pytest.approx(f1_score(y, said, average="macro"), abs=1e-6)
    for k, f1 in enumerate(f1_score(y, said, average=None)):
        assert best[f"val_f1_class_{k}"] == pytest.approx(f1, abs=1e-6)


@pytest.fixture(scope="module")
def again(sweep, train_several, tmp_path_factory):
    """The same sweep in the same folder, in a process that tells what it imported.

    Were there anything to train, it would have workers, with TensorFlow in each.
    """
    typed = [*sweep.arguments, "hydra.launcher.fewest_jobs=2"]
    (outcome,) = train_several([(typed, sweep.cwd)], tmp_path_factory.mktemp("again"))
    return outcome


def test_the_same_command_again_trains_nothing_and_leaves_tensorflow_alone(sweep, again):
    assert again.status == 0, again.err
    assert again.out.count("✓ reused") == 6
    assert "tensorflow" not in again.loaded
    assert "load TensorFlow" not in again.out
    assert "mlflow" in again.loaded
    assert len(list(sweep.cwd.glob("multirun/*/*/*/run.json"))) >= len(JOBS)
    newest = max(sweep.cwd.glob("multirun/*/*"))
    assert newest != sweep.folder
    assert not list(newest.glob("*/run.json"))


def test_it_is_the_same_sweep_in_mlflow(sweep, again):
    def parents(out):
        return [line.split()[2] for line in out.splitlines() if line.startswith("MLflow:")]

    assert parents(again.out) == parents(sweep.outcome.out) != []


@pytest.fixture(scope="module")
def forced(sweep, run_here, tiny, tmp_path_factory):
    """Job 5 of the sweep trained once more, in this process."""
    folder = tmp_path_factory.mktemp("forced")
    store = (f"tracking.root={sweep.tracking['root']}", "tracking.log_model=false")
    run_here(folder, "loss=focal", "loss.gamma=2", "force=true", *store, *tiny)
    return folder


def test_force_trains_again_and_gives_the_same_bits_in_another_process(sweep, forced):
    first = sweep.folder / "5"
    rows = zip(history(forced), history(first), strict=True)
    for row, other in rows:
        assert row | {"time_ms": 0} == other | {"time_ms": 0}
    with np.load(first / "predictions.npz") as old, np.load(forced / "predictions.npz") as new:
        assert set(old) == set(new)
        for name in old:
            assert old[name].tobytes() == new[name].tobytes(), name


def test_among_all_runs_in_mlflow_an_experiment_that_was_repeated_has_one_row(sweep, forced):
    store, run = Store.at(sweep.tracking["root"], None), record(forced)
    identity = f"tags.identity = '{run['metadata']['identity']}'"
    (view,) = (
        json.loads(one.tags[TAG + ALL_RUNS])
        for one in store.experiments()
        if TAG + ALL_RUNS in one.tags
    )
    page = json.loads(zlib.decompress(base64.b64decode(view["state"].partition(";")[2])))
    shown = store.search(f"{page['searchFilter']} AND {identity}")
    assert len(store.search(identity)) > 1
    kept = json.loads((forced / "mlflow.json").read_text())["run_id"]
    assert [one.info.run_id for one in shown] == [kept]
