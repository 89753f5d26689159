"""A model's folder is what ``mlflow.keras`` writes for it, though most of it is made once."""

import shutil
from pathlib import Path

import mlflow.keras
import numpy as np
import pytest
from mlflow.models import Model, ModelSignature
from mlflow.types import Schema, TensorSpec

from src.saved_model.facts import ServingFacts
from src.tracking import model_folder
from src.tracking.logged_model import signature
from src.tracking.model_folder import example, write_model_folder

SAME = (
    "conda.yaml",
    "requirements.txt",
    "python_env.yaml",
    "input_example.json",
    "serving_input_example.json",
    "data/keras_module.txt",
    "data/model.keras",
)


class Stored:
    def __init__(self, file):
        self.file = file

    def save(self, path):
        shutil.copyfile(self.file, path)


def of_mlflow(run_folder, facts, path):
    """What ``mlflow.keras`` makes of the run's model, as for any other."""
    model = Model(model_uuid="1")
    path.mkdir()
    shape = Schema([TensorSpec(np.dtype(np.float32), (-1, *facts.input_shape))])
    mlflow.keras.save_model(
        Stored(run_folder / "model.keras"),
        str(path),
        mlflow_model=model,
        signature=ModelSignature(inputs=shape),
        input_example=example(facts, run_folder),
        pip_requirements=(path.parent / "own" / "requirements.txt").read_text().splitlines(),
    )
    return model


def written(run_folder, path):
    facts, model = ServingFacts.load(run_folder), Model(model_uuid="1")
    write_model_folder(
        path,
        model,
        run_folder=run_folder,
        facts=facts,
        signature=signature(facts),
        metadata={"class_names": list(facts.class_names)},
    )
    return facts, model


@pytest.fixture(scope="module", params=["array", "table"])
def run_folder(request):
    if request.param == "table":
        return request.getfixturevalue("in_use").output
    return request.getfixturevalue("sweep").folder / "5"


def test_it_is_what_mlflow_writes(run_folder, tmp_path):
    facts, own = written(run_folder, tmp_path / "own")
    other = of_mlflow(run_folder, facts, tmp_path / "other")
    for name in SAME:
        assert (tmp_path / "own" / name).read_bytes() == (tmp_path / "other" / name).read_bytes()
    assert own.saved_input_example_info == other.saved_input_example_info
    assert own.model_size_bytes == other.model_size_bytes
    assert own.flavors["keras"] == other.flavors["keras"]
    loaded = {"loader_module": "src.saved_model.loader", "code": "code"}
    assert own.flavors["python_function"] == other.flavors["python_function"] | loaded


def test_the_file_that_describes_it_is_what_mlflow_would_dump(run_folder, tmp_path):
    _, model = written(run_folder, tmp_path / "own")
    assert (tmp_path / "own" / "MLmodel").read_text() == model.to_yaml()
    assert Model.load(str(tmp_path / "own")).to_dict() == model.to_dict()


def test_models_alike_share_what_is_made_once_and_nothing_else(sweep, tmp_path, monkeypatch):
    first, second = (sweep.folder / number for number in ("4", "5"))
    written(first, tmp_path / "first")
    monkeypatch.setattr(mlflow.keras, "save_model", None)  # which is not asked again
    facts, model = written(second, tmp_path / "second")
    model.flavors["python_function"]["code"] = "elsewhere"
    model.metadata["class_names"].clear()
    _, again = written(second, tmp_path / "again")
    assert again.flavors["python_function"]["code"] == "code"
    assert again.metadata == {"class_names": list(facts.class_names)}
    for name in ("data/model.keras", "serving.json", "model_card.md"):
        own = (second / Path(name).name).read_bytes()
        assert (tmp_path / "second" / name).read_bytes() == own
        assert own != (tmp_path / "first" / name).read_bytes()


def test_code_of_ones_own_lies_beside_the_projects(in_use, sweep, tmp_path):
    written(in_use.output, tmp_path / "table")
    written(sweep.folder / "5", tmp_path / "array")
    assert (tmp_path / "table" / "code" / "own_net.py").is_file()
    assert not (tmp_path / "array" / "code" / "own_net.py").exists()


def test_all_that_travels_is_as_the_project_has_it(sweep, tmp_path):
    written(sweep.folder / "5", tmp_path)
    files = [file for file in (tmp_path / "code" / "src").rglob("*") if file.is_file()]
    assert files
    for file in files:
        source = model_folder.SOURCE / file.relative_to(tmp_path / "code" / "src")
        assert file.read_bytes() == source.read_bytes()


def test_what_was_read_from_the_installed_packages_is_not_looked_up_in_them(monkeypatch):
    asked = []
    monkeypatch.setattr(model_folder.environment, model_folder.LOOK, asked.append)
    model_folder._frame.cache_clear()
    assert "requirements.txt" in model_folder._frame((3,), False).files
    assert asked == []
    getattr(model_folder.environment, model_folder.LOOK)("again there")
    assert asked == ["again there"]
