"""What MLflow holds after a sweep: the parent, its children, and all that belongs to a run."""

import base64
import csv
import io
import json
import re
import subprocess
import zipfile
import zlib
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml

from src.runs.labels import short_label
from src.sweeps.table import Row, markdown_table

ROOT = Path(__file__).resolve().parents[2]
LABELS = ["ce", *(f"focal(gamma={gamma}, alpha=0.25)" for gamma in (0, 1, 2))]
EACH_EPOCH = (
    "val_f1_macro",
    "f1_macro",
    "loss",
    "val_loss",
    "val_log_loss",
    "val_f1_class_0",
    "val_f1_class_1",
    "grad_norm",
    "learning_rate",
)


@pytest.fixture(params=LABELS)
def run(children, request):
    return children[request.param]


@pytest.fixture
def folder(sweep, run):
    """The output folder of the run."""
    return sweep.trained[LABELS.index(run.data.tags["loss.label"])]


def test_the_sweep_is_one_finished_run_with_four_finished_children(parent, children):
    assert parent.info.status == "FINISHED"
    assert sorted(children) == sorted(LABELS)
    assert {run.info.status for run in children.values()} == {"FINISHED"}
    assert len({run.data.tags["identity"] for run in children.values()}) == len(LABELS)
    assert len({run.data.tags["setting"] for run in children.values()}) == 1


def test_the_sweep_says_what_was_typed_and_how_it_came_out(sweep, parent):
    assert parent.data.tags["sweep.command"] == "train.py " + " ".join(sweep.arguments)
    note = parent.data.tags["mlflow.note.content"]
    assert note.startswith("**Answer.** **Undecided**: focal γ")
    jobs = [line.split(" | ")[3] for line in note.split("\n") if re.search("trained|reused", line)]
    assert sorted(jobs) == list("012345")
    assert "\n| ce | " in note
    link = f"#/experiments/{parent.info.experiment_id}/runs/{parent.info.run_id}/artifacts"
    assert f"[The whole report]({link}/report.html)" in note


def test_the_sweep_has_the_figures_of_its_comparison(parent):
    answer = json.loads(Path(parent.info.artifact_uri[7:], "comparison.json").read_text())
    first = answer["comparisons"][0]
    assert parent.data.metrics == {"difference": first["mean_difference_pp"]}, "one seed: no ends"
    best = max(answer["losses"], key=lambda one: one["mean"]["val_crossfit_f1_macro"])
    assert parent.data.tags["best_loss"] == best["short"]
    assert parent.data.tags["compared"] == f"{first['short']} against ce"
    assert parent.data.tags["verdict"] == first["verdict"]


def test_each_epoch_is_logged_as_it_stands_in_the_history(client, run, folder):
    with (folder / "history.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    for name in EACH_EPOCH:
        logged = sorted(client.get_metric_history(run.info.run_id, name), key=lambda m: m.step)
        assert [metric.step for metric in logged] == [1, 2, 3, 4]
        assert [metric.value for metric in logged] == [float(row[name]) for row in rows]


def test_the_final_scores_are_logged(run, folder):
    expected = json.loads((folder / "run.json").read_text())["metrics"]
    assert {name: run.data.metrics[name] for name in expected} == expected
    assert {"test_f1_macro", "best_val_f1_macro"} <= set(expected)


def test_parameters_are_the_resolved_config(run, folder):
    config = yaml.safe_load((folder / "config.yaml").read_text())
    params = run.data.params
    assert params["training.epochs"] == "4"
    assert params["data.n_samples"] == "600"
    assert params["model.hidden"] == "[32]"
    assert params["loss.fn._target_"] == config["loss"]["fn"]["_target_"]
    if config["loss"]["name"] == "focal":
        assert float(params["loss.fn.gamma"]) == config["loss"]["fn"]["gamma"]
    assert not [name for name in params if name.startswith("tracking")]


def test_tags_say_what_the_run_is(run, folder):
    head = json.loads((folder / "run.json").read_text())["metadata"]
    tags = run.data.tags
    assert (tags["model"], tags["data"], tags["seed"]) == ("mlp", "simulated", "0")
    assert tags["loss"] == run.data.tags["loss.label"].split("(")[0]
    assert tags["identity"] == head["identity"]
    for library in ("tensorflow", "keras", "numpy"):
        assert tags[f"version.{library}"] == version(library)
    assert tags["mlflow.note.content"].startswith(f"**{short_label(tags['loss.label'])}**")
    assert run.info.run_name == f"{short_label(tags['loss.label'])} · mlp · simulated · seed 0"


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not in a git checkout")
def test_the_commit_is_one_of_the_checkout(run):
    commit = run.data.tags["mlflow.source.git.commit"]
    command = ["git", "merge-base", "--is-ancestor", commit, "HEAD"]
    assert subprocess.run(command, cwd=ROOT, check=False).returncode == 0


def test_the_data_set_is_an_input_of_the_run(run, resolved, tiny):
    from src.engine.build import load_dataset

    dataset = load_dataset(resolved(*tiny)["data"])
    (given,) = run.inputs.dataset_inputs
    assert given.dataset.name == "simulated"
    assert dataset.fingerprint.startswith(given.dataset.digest)
    assert run.data.tags["data.fingerprint"] == dataset.fingerprint
    rows = json.loads(given.dataset.profile)["rows"]
    assert rows == {"train": 360, "val": 120, "test": 120}


def test_the_files_of_the_run_are_artifacts(client, run, folder):
    kept = {entry.path for entry in client.list_artifacts(run.info.run_id)}
    assert kept >= {
        "config.yaml",
        "history.csv",
        "predictions.npz",
        "confusion_matrix.csv",
        "confusion_matrix.png",
        "curves.png",
        "run.json",
    }
    stored = Path(run.info.artifact_uri.removeprefix("file://"))
    for name in kept:
        assert (stored / name).read_bytes() == (folder / name).read_bytes()


def test_no_file_holds_a_pickle(sweep):
    files = [file for file in (sweep.cwd / "mlruns").rglob("*") if file.is_file()]
    assert len(files) > 4 * 10
    for file in files:
        assert file.suffix not in {".pkl", ".pickle", ".joblib"}, file
        for name, content in parts(file):
            assert content[:1] != b"\x80", f"{file}: {name}"


def parts(file):
    """The file, or what is packed in it."""
    content = file.read_bytes()
    if not zipfile.is_zipfile(io.BytesIO(content)):
        return [(file.name, content)]
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        return [(name, packed.read(name)) for name in packed.namelist()]


def view(client, parent, key):
    """The saved state of the UI, as the browser unpacks it."""
    tags = client.get_experiment(parent.info.experiment_id).tags
    saved = json.loads(tags[f"mlflow.sharedViewState.{key}"])
    assert saved["state"].startswith("deflate;")
    packed = base64.b64decode(saved["state"].removeprefix("deflate;"))
    return json.loads(zlib.decompress(packed))


@pytest.mark.parametrize("key", ["imbalance-last-sweep", "imbalance-curves-by-loss"])
def test_the_saved_view_shows_exactly_the_runs_of_the_sweep(client, parent, children, key):
    state = view(client, parent, key)
    found = client.search_runs([parent.info.experiment_id], state["searchFilter"])
    expected = {run.info.run_id for run in children.values()}
    assert {run.info.run_id for run in found} == expected
    varied, scores = state["selectedColumns"][:2], state["selectedColumns"][2:]
    assert varied == ["tags.`gamma`", "tags.`alpha`"], "no column that is alike in all runs"
    assert scores == [f"tags.`{name}`" for name in ("val F1", "test F1", "tuned F1", "ECE")]
    for run in found:
        assert run.data.tags["test F1"] == f"{run.data.metrics['test_f1_macro']:.4f}"
        assert "clipped_fraction" not in run.data.metrics, "nothing is clipped here"


def test_the_view_of_all_runs_leaves_the_sweep_itself_out(client, parent):
    state = view(client, parent, "imbalance-all-runs")
    experiment = [parent.info.experiment_id]
    everything = client.search_runs(experiment)
    trained_again = {run.info.run_id for run in everything if "replaced" in run.data.tags}
    found = {run.info.run_id for run in client.search_runs(experiment, state["searchFilter"])}
    left_out = {run.info.run_id for run in everything} - found
    assert left_out == {parent.info.run_id, *trained_again}


@pytest.mark.parametrize("count", [1, 40, 1000])
def test_a_description_of_any_number_of_runs_fits_into_mlflows_limit(count):
    name = "class_balanced_focal β.999 γ2 · mlp · table · seed 1"
    rows = [Row(name, (job,), (0.5,), (0.5,), (1.0,), ()) for job in range(count)]
    table = markdown_table(rows, longest=8000)
    assert len(table) <= 8000
    listed = table.count(name)
    assert listed == count or table.endswith(f"{count - listed} more runs are in the view.")
