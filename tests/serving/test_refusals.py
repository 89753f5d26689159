"""Code of a folder runs only where it is trusted, and no class comes from scores that are none."""

import shutil
import sys
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
from mlflow.exceptions import MlflowException
from mlflow.models import Model

from src.errors import UserError
from src.predict import main as predict
from src.promote import main as promote
from src.saved_model.facts import ServingFacts
from src.saved_model.predictor import Predictor
from src.serve import main as serve
from src.serving.find import find_model
from src.serving.server import make_app
from src.tracking.logged_model import signature


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Saves a linear network of three features as a model whose code would make a file."""
    monkeypatch.chdir(tmp_path)
    pd.DataFrame({"a": [0.0, 1], "b": [1.0, 2], "c": [0.0, 3]}).to_csv("rows.csv", index=False)

    def save(kernel, own=()):
        facts = ServingFacts(("no", "yes"), (0.0, 0.5), (3,), tuple("abc"), None, own)
        path = tmp_path / "model"
        (path / "code").mkdir(parents=True, exist_ok=True)
        facts.save(path)
        network = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
        network.layers[0].set_weights([np.full((3, 2), kernel) * [-1, 1], np.zeros(2)])
        network.save(path / "model.keras")
        (path / "code" / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
        described = Model(signature=signature(facts))
        described.add_flavor("python_function", loader_module="evil", code="code")
        described.save(str(path / "MLmodel"))
        return str(path)

    return save


def test_a_model_that_needs_no_code_runs_none_of_its_folder(folder, tmp_path):
    model = folder(1.0)
    predict(["rows.csv", "--model", model, "-o", "out.csv"])
    make_app(find_model(model, "mlruns", None))
    assert pd.read_csv("out.csv")["class"].tolist() == ["yes", "yes"]
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "command", [lambda model: predict(["rows.csv", "-o", "out.csv", *model]), serve]
)
def test_own_code_of_a_folder_is_refused_by_name_and_stays_unread(folder, tmp_path, command):
    model = folder(1.0, ("evil",))
    with pytest.raises(UserError, match=rf"code of its own.* evil in {model}/code.*--trust-code"):
        command(["--model", model])
    assert not (tmp_path / "ran").exists()


def test_own_code_runs_where_it_is_trusted(folder, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)  # what the command adds to the path goes afterwards
    predict(["rows.csv", "--model", folder(1.0, ("evil",)), "-o", "out.csv", "--trust-code"])
    assert (tmp_path / "ran").exists()
    sys.modules.pop("evil")


@pytest.mark.parametrize("command", ["predict", "bare file", "serve"])
def test_a_model_of_nan_is_refused_in_one_message(folder, command):
    model = folder(np.nan)
    words = {
        "predict": (predict, ["rows.csv", "-o", "out.csv", "--model", model]),
        "bare file": (predict, ["rows.csv", "-o", "out.csv", "--model", f"{model}/model.keras"]),
        "serve": (serve, ["--model", model, "--port", "5987"]),
    }
    main, arguments = words[command]
    with pytest.raises(UserError, match=f"{model}.*: the model gives NaN .*learning_rate"):
        main(arguments)
    assert not Path("out.csv").exists()


def test_a_run_whose_model_gives_nan_is_not_promoted(in_use, tmp_path):
    file = in_use.folder / "data" / "model.keras"
    network = Predictor.load(in_use.folder).network
    network.set_weights([np.full(weight.shape, np.nan) for weight in network.get_weights()])
    shutil.copy(file, tmp_path / "kept.keras")
    try:
        network.save(file)
        with pytest.raises(UserError, match="the model gives NaN or infinite scores"):
            promote([in_use.run_id, "--name", "nan", "--root", str(in_use.root)])
    finally:
        shutil.copy(tmp_path / "kept.keras", file)
    with pytest.raises(MlflowException):
        in_use.client.get_registered_model("nan")


def test_a_row_whose_scores_overflow_is_named(folder):
    model = folder(3e38)
    pd.DataFrame([[0, 0, 0], [1, -1, 0], [9, 9, 9]], columns=list("abc")).to_csv("big.csv")
    with pytest.raises(UserError, match=r"big\.csv: row 3: the model gives NaN or infinite"):
        predict(["big.csv", "--model", model, "-o", "out.csv", "--ignore-extra"])
    assert not Path("out.csv").exists()
