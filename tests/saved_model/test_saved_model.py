"""A saved model takes raw rows, in a process and a folder that know nothing of the project."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax

from src.data.errors import CellError
from src.data.table import table
from src.errors import UserError
from src.evaluation.decision import decide
from src.saved_model.facts import ServingFacts
from src.saved_model.predictor import Predictor

ELSEWHERE = """
import sys
import mlflow, numpy as np, pandas as pd
assert not any(name == "src" or name.startswith("src.") for name in sys.modules)
loaded = mlflow.pyfunc.load_model(sys.argv[1])
raw = pd.read_csv("rows.csv")
loaded.predict(raw).to_csv("tuned.csv", index=False, float_format="%.17g")
loaded.predict(raw, params={"decision": "argmax"}).to_csv("argmax.csv", index=False)
one = loaded.predict(raw.head(1))
other = {"age": 40, "dose": 5, "ward": None, "smoker": True, "grade": 2}
other = loaded.predict(pd.DataFrame([other]))
print(len(one), len(other), loaded.predict(raw.head(0)).shape)
try:
    loaded.predict(raw.assign(age="old"))
except mlflow.MlflowException as error:
    print(error.error_code, error)
import own_net, src
print(own_net.__file__, src.__file__)
own = vars(own_net) | vars(own_net.own_layers)
bare = mlflow.keras.load_model(sys.argv[1], custom_objects=own)
print(type(bare).__module__.split(".")[0], bare.output_shape, type(bare.loss).__name__)
"""


@pytest.fixture(scope="module")
def predictor(in_use):
    return Predictor.load(in_use.folder)


@pytest.fixture(scope="module")
def elsewhere(in_use, tmp_path_factory):
    """What a process without the project says of the raw table."""
    cwd = tmp_path_factory.mktemp("elsewhere")
    in_use.raw.to_csv(cwd / "rows.csv", index=False)
    done = subprocess.run(
        [sys.executable, "-c", ELSEWHERE, in_use.folder],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return cwd, done.stdout


def test_features_of_raw_rows_are_those_of_training_and_logits_those_recorded(predictor, in_use):
    data = table(str(in_use.file), "outcome", drop=["patient"])
    ours = np.vstack([data.x_train, data.x_val, data.x_test])
    features = predictor.features(pd.read_csv(in_use.file))
    order = [np.lexsort(rows.T) for rows in (ours, features)]
    np.testing.assert_array_equal(ours[order[0]], features[order[1]])
    with np.load(in_use.output / "predictions.npz") as arrays:
        recorded = {"argmax": arrays["test_logits"], "tuned": arrays["tuned_test_logits"]}
        by_prior = arrays.get("prior_test_logits", arrays["test_logits"])
    for decision, logits in (recorded | {"prior": by_prior}).items():
        found = predictor.logits(data.x_test, decision)
        np.testing.assert_allclose(found, logits, rtol=0, atol=1e-5)
    assert not np.allclose(*recorded.values()), "each decision has the weights of its own epoch"


def test_raw_rows_are_answered_where_the_project_is_not(elsewhere, predictor, in_use):
    cwd, _ = elsewhere
    tuned, argmax = (pd.read_csv(cwd / f"{name}.csv") for name in ("tuned", "argmax"))
    logits = predictor.logits(predictor.features(in_use.raw))
    names = np.array(["ill", "well"])
    assert tuned.columns.tolist() == ["class", "probability_ill", "probability_well"]
    np.testing.assert_allclose(tuned.iloc[:, 1:], softmax(logits, axis=1), rtol=0, atol=1e-6)
    offsets = np.array(predictor.facts.offsets)
    assert offsets.any()
    agree = (tuned["class"] == names[decide(logits, offsets)]).mean()
    assert agree > 0.99  # a tie at the threshold may fall either way in another process
    plain = predictor.logits(predictor.features(in_use.raw), "argmax")
    np.testing.assert_allclose(argmax.iloc[:, 1:], softmax(plain, axis=1), rtol=0, atol=1e-6)
    assert (argmax["class"] == names[plain.argmax(axis=1)]).mean() > 0.99
    assert (tuned["class"] != argmax["class"]).any()


def test_the_decision_by_prior_divides_the_shares_of_the_training_rows_out(predictor, in_use):
    said = predictor.predict(in_use.raw, "prior")
    trained_on = table(str(in_use.file), "outcome", drop=["patient"]).y_train
    probabilities = said.iloc[:, 1:].to_numpy() / (np.bincount(trained_on) / len(trained_on))
    names = np.array(["ill", "well"])
    assert said["class"].tolist() == names[probabilities.argmax(axis=1)].tolist()
    assert (said["class"] != predictor.predict(in_use.raw, "argmax")["class"]).any()


def test_a_model_of_before_says_that_it_has_no_decision_by_prior(predictor, in_use):
    before = Predictor(replace(predictor.facts, prior_offsets=()), predictor.network, "")
    with pytest.raises(UserError, match="decision=prior: this model was saved without it"):
        before.predict(in_use.raw, "prior")


def test_the_code_of_ones_own_and_the_components_came_with_the_model(elsewhere, in_use):
    _, out = elsewhere
    sizes, error, modules, bare = out.splitlines()
    assert sizes == "1 1 (0, 3)"
    assert error == "INVALID_PARAMETER_VALUE row 1, column 'age': 'old' is no number"
    assert modules.split() == [
        str(in_use.folder / "code" / "own_net.py"),
        str(in_use.folder / "code" / "src" / "__init__.py"),
    ]
    assert bare == "keras (None, 2) Steep"


def test_the_signature_names_columns_classes_and_the_decision(in_use):
    model = mlflow.models.Model.load(in_use.folder)
    assert model.signature.inputs.input_names() == ["age", "dose", "ward", "smoker", "grade"]
    example = model.load_input_example(in_use.folder)
    assert example["age"].tolist() == [pytest.approx(in_use.raw["age"].median(), abs=3)]


def test_nothing_in_the_folder_is_a_pickle(in_use):
    known = {"", ".py", ".json", ".md", ".txt", ".yaml", ".keras", ".h5"}
    assert {file.suffix for file in in_use.logged} == known
    assert not [file for file in in_use.logged if file.read_bytes()[:1] == b"\x80"]


def test_a_category_never_seen_and_a_gap_are_predicted_as_in_training(predictor, in_use):
    row = in_use.raw.iloc[[0]].astype(object)
    names = list(predictor.facts.feature_names)
    wards = [names.index(f"ward={ward}") for ward in ("(missing)", "north", "south")]
    assert predictor.features(row.assign(ward="west"))[0, wards].tolist() == [0, 0, 0]
    assert predictor.features(row.assign(ward=None))[0, wards].tolist() == [1, 0, 0]
    gap = predictor.features(row.assign(dose=None))
    assert gap[0, names.index("dose missing")] > 0


def test_a_value_that_float32_cannot_hold_is_named(predictor, in_use):
    rows = in_use.raw.head(3).astype({"age": float})
    rows.loc[1, "age"] = 1e99
    with pytest.raises(CellError, match=r"row 2, column 'age': .*float32"):
        predictor.features(rows)


@pytest.mark.parametrize("damage", [Path.unlink, lambda file: file.write_bytes(b"weights")])
def test_weights_of_the_tuned_decision_that_are_none_are_one_clear_error(in_use, tmp_path, damage):
    copy = Path(shutil.copytree(in_use.output, tmp_path / "model"))
    damage(copy / "tuned.weights.h5")
    with pytest.raises(UserError, match=r"tuned\.weights\.h5: no weights can be loaded"):
        Predictor.load(copy)


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content.pop("offsets"),
        lambda content: content.update(offsets=[0.0]),
        lambda content: content["table"].update(means=[1.0]),
        lambda content: content.update(table=5),
    ],
)
def test_damaged_facts_are_one_clear_error(in_use, tmp_path, change):
    content = json.loads((in_use.folder / "serving.json").read_text())
    change(content)
    (tmp_path / "serving.json").write_text(json.dumps(content))
    with pytest.raises(UserError, match=r"serving\.json: is damaged"):
        ServingFacts.load(tmp_path)
