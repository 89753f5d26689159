"""A logged model is complete, and gives the answers of its run."""

import sys
from importlib.metadata import version
from pathlib import Path

import mlflow
import numpy as np
import pytest
import yaml
from scipy.special import softmax

from src.engine.build import load_dataset
from src.evaluation.decision import decide
from src.tracking.store import Store


@pytest.fixture(scope="module")
def run(children):
    return children["focal(gamma=2, alpha=0.25)"]


@pytest.fixture(scope="module")
def logged(client, run):
    """What MLflow says of the run's model."""
    (output,) = run.outputs.model_outputs
    return client.get_logged_model(output.model_id)


@pytest.fixture(scope="module")
def folder(logged):
    """The model's files."""
    return Path(logged.artifact_location.removeprefix("file://"))


@pytest.fixture(scope="module")
def dataset(resolved, tiny):
    """What it was trained on."""
    return load_dataset(resolved(*tiny)["data"])


def test_each_trained_run_has_one_model_that_is_ready(client, children):
    for run in children.values():
        (output,) = run.outputs.model_outputs
        assert client.get_logged_model(output.model_id).status == "READY"


def test_the_model_tells_what_goes_in_and_what_comes_out(folder):
    signature = mlflow.models.Model.load(folder).signature
    (rows,) = signature.inputs.inputs
    assert (rows.type, rows.shape) == (np.float32, (-1, 10))
    assert [(column.name, str(column.type)) for column in signature.outputs] == [
        ("class", "DataType.string"),
        ("probability_majority", "DataType.double"),
        ("probability_minority", "DataType.double"),
    ]
    (decision,) = signature.params.params
    assert (decision.name, decision.default) == ("decision", "tuned")


def test_the_model_has_an_input_example(folder, dataset):
    example = mlflow.models.Model.load(folder).load_input_example(folder)
    np.testing.assert_allclose(example, dataset.x_val[: len(example)], rtol=1e-6)
    assert len(example) > 0


def test_the_requirements_are_pinned_to_what_trained_it(folder):
    lines = (folder / "requirements.txt").read_text().split()
    pins = dict(line.split("==") for line in lines)
    names = ("tensorflow", "keras", "numpy", "mlflow", "pandas", "pillow")
    assert pins == {name: version(name) for name in names}


def test_no_module_of_the_project_travels_but_components_and_what_predicts(folder):
    travelling = {file.relative_to(folder / "code") for file in folder.glob("code/**/*.py")}
    others = {str(file) for file in travelling if not {"components", "saved_model"} & {*file.parts}}
    assert "src/data/tabular/columns.py" in others
    folders = {"src", "src/data", "src/data/images", "src/data/tabular"}
    assert {name.rpartition("/")[0] for name in others} == folders
    assert yaml.safe_load((folder / "MLmodel").read_text())["flavors"].keys() == {
        "keras",
        "python_function",
    }


def test_the_card_is_shown_with_the_run_and_with_the_model(client, run, logged, folder):
    card = (folder / "model_card.md").read_text()
    assert card.startswith("# Model card\n\n**focal γ2 α.25**")
    for shown in (run.data.tags, logged.tags):
        assert "# Model card\n\n" + shown["mlflow.note.content"] == card
    listed = {entry.path for entry in client.list_artifacts(run.info.run_id)}
    assert {"model_card.md", "serving.json"} <= listed


def test_it_gives_the_recorded_answers(sweep, run, folder, dataset, monkeypatch):
    """A process that knows nothing of the project is in `test_saved_model.py`."""
    monkeypatch.setattr(sys, "path", [*sys.path])  # to which MLflow adds the model's code
    loaded, x = mlflow.pyfunc.load_model(str(folder)), dataset.x_test
    of_keras = mlflow.keras.load_model(str(folder)).predict(x, batch_size=1024, verbose=0)
    tuned, argmax = loaded.predict(x), loaded.predict(x, params={"decision": "argmax"})
    with np.load(sweep.folder / "5" / "predictions.npz") as arrays:
        logits, tuned_logits = arrays["test_logits"], arrays["tuned_test_logits"]
    np.testing.assert_allclose(of_keras, logits, rtol=0, atol=1e-6)
    expected = softmax(tuned_logits, axis=1)
    np.testing.assert_allclose(tuned.iloc[:, 1:], expected, rtol=0, atol=1e-6)
    offsets = [run.data.metrics[f"decision_offset_{k}"] for k in range(2)]
    names = np.array(["majority", "minority"])
    assert offsets != [0, 0]
    assert tuned["class"].tolist() == names[decide(tuned_logits, np.array(offsets))].tolist()
    assert argmax["class"].tolist() == names[logits.argmax(axis=1)].tolist()


def test_logging_a_model_leaves_no_address_behind_for_later_jobs(
    run_here, own_words, empty_store, tmp_path
):
    words = [word for word in own_words if not word.startswith("tracking.log_model")]
    run_here(tmp_path / "a", *words, "model.hidden=[4]", "training.epochs=1")
    elsewhere = tmp_path / "elsewhere"
    empty_store(elsewhere)
    quick = ("tracking.log_model=false", f"tracking.root={elsewhere}", "training.epochs=1")
    run_here(tmp_path / "b", "tracking.plots=false", "data.n_samples=400", *quick)
    assert len(Store.at(str(elsewhere), None).search("")) == 1
