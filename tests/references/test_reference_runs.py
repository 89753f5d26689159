"""A run of an estimator: tracked, answered, executed again and promoted, without TensorFlow."""

import json
import os
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from mlflow.tracking import MlflowClient
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import f1_score
from sklearn.preprocessing import FunctionTransformer

from src.data.table import table
from src.errors import UserError
from src.saved_model.estimator_file import load_estimator, save_estimator
from src.serving.find import find_model
from src.serving.registry import promote
from src.tracking.store import Store
from tests.conftest import ROOT

pytestmark = pytest.mark.slow

FOREST = ("estimator=random_forest", "estimator.n_estimators=20", "tracking.plots=false")
TABLE = ("data=table", "data.path=mine.csv", "data.label=kind")
LEAF = "estimator.min_samples_leaf=4"
IN_ONE_PROCESS = """
import sys
from src import predict, promote, reproduce
run, rows, out = sys.argv[1:]
print(reproduce.main([run]), promote.main([run, "--name", "mine", "--decision", "argmax"]))
print(predict.main(["--model", "mine@champion", rows, "-o", out]))
print("tensorflow" in sys.modules)
"""
ELSEWHERE = """
import sys, mlflow, pandas
mlflow.set_tracking_uri(sys.argv[1])
model = mlflow.pyfunc.load_model("models:/mine@champion")
rows = pandas.read_csv(sys.argv[2])
print(model.predict(rows, params={"decision": "tuned"}).to_json())
"""


@pytest.fixture(scope="module")
def runs(train_several, empty_store, tmp_path_factory):
    """Commands in one child, and the runs that they left."""
    cwd = tmp_path_factory.mktemp("runs")
    empty_store(cwd / "mlruns")
    random = np.random.default_rng(0)
    y = np.repeat(["many", "few"], [260, 40])
    frame = pd.DataFrame(
        {
            "a": random.normal(size=300) + 1.5 * (y == "few"),
            "b": random.choice(["x", "y", None], 300),
            "kind": y,
        }
    )
    frame.to_csv(cwd / "mine.csv", index=False)
    network = ("loss=focal", "model.hidden=[8]", "training.epochs=3", "metric=imbalance")
    typed = [
        (*FOREST, *TABLE),
        (*FOREST, *TABLE, *network),
        (*FOREST, *TABLE, LEAF),
        (*FOREST, *TABLE, "seed=2", "tracking.detail=scores", "tracking.log_model=false"),
    ]
    outcomes = train_several([(words, cwd) for words in typed], cwd)
    client = MlflowClient(f"sqlite:///{cwd}/mlruns/mlflow.db")
    (experiment,) = client.search_experiments(filter_string="name = 'imbalance-lab'")
    found = client.search_runs([experiment.experiment_id], order_by=["start_time"])
    return SimpleNamespace(cwd=cwd, outcomes=outcomes, client=client, found=found, frame=frame)


def test_loss_model_and_training_make_no_other_run_and_tensorflow_is_not_loaded(runs):
    assert [one.status for one in runs.outcomes] == [0] * 4, runs.outcomes
    assert all("tensorflow" not in one.loaded for one in runs.outcomes)
    assert "keras" not in runs.outcomes[-1].loaded
    assert "✓ reused" in runs.outcomes[1].out
    labels = [run.data.tags["loss.label"] for run in runs.found]
    known = "random forest(n_estimators=20)", "random forest(n_estimators=20, min_samples_leaf=4)"
    assert labels == [known[0], known[1], known[0]]


def test_the_record_says_what_was_fitted_and_nothing_of_a_network(runs):
    run = runs.found[0]
    tags = run.data.tags
    assert (tags["run.kind"], tags["loss"], tags["data"]) == ("reference", "random_forest", "mine")
    assert {"version.scikit-learn", "version.imbalanced-learn"} <= tags.keys()
    assert not {"model", "version.tensorflow", "best_epoch"} & tags.keys()
    sections = {name.partition(".")[0] for name in run.data.params}
    assert not sections & {"loss", "model", "metric", "tuning"}
    assert run.data.params["estimator.n_estimators"] == "20"
    assert not (run.outputs and run.outputs.model_outputs)
    files = {file.path for file in runs.client.list_artifacts(run.info.run_id)}
    assert {"config.yaml", "predictions.npz", "confusion_matrix.csv", "model_card.md"} <= files
    assert not {name for name in files if name.endswith((".pkl", ".skops", ".joblib"))}


def test_it_is_executed_again_promoted_and_used_without_tensorflow(runs):
    run_id, cwd = runs.found[0].info.run_id, runs.cwd
    words = [run_id, "mine.csv", "out.csv"]
    done = subprocess.run(
        [sys.executable, "-c", IN_ONE_PROCESS, *words],
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert ": IDENTICAL, " in done.stdout
    assert done.stdout.splitlines()[-1] == "False"
    data = table(str(cwd / "mine.csv"), "kind", seed=0)
    forest = RandomForestClassifier(20, random_state=0).fit(
        data.x_train.astype(float), data.y_train
    )
    wanted = forest.predict_proba(data.preprocessing.transform(runs.frame).astype(float))
    answered = pd.read_csv(cwd / "out.csv")
    names = [f"probability_{name}" for name in data.class_names]
    assert answered[names].to_numpy() == pytest.approx(wanted, abs=1e-12)
    assert list(answered["class"]) == [data.class_names[k] for k in wanted.argmax(axis=1)]

    elsewhere = subprocess.run(
        [sys.executable, "-c", ELSEWHERE, f"sqlite:///{cwd}/mlruns/mlflow.db", cwd / "mine.csv"],
        cwd=cwd.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert elsewhere.returncode == 0, elsewhere.stderr
    tuned = pd.DataFrame(json.loads(elsewhere.stdout))
    assert tuned[names].to_numpy() == pytest.approx(wanted, abs=1e-12)
    metrics = runs.found[0].data.metrics
    offsets = [metrics[f"decision_offset_{k}"] for k in range(2)]
    scores = np.log(np.maximum(wanted, np.finfo(float).eps)) + offsets
    assert list(tuned["class"]) == [data.class_names[k] for k in scores.argmax(axis=1)]
    with np.load(runs.client.download_artifacts(run_id, "predictions.npz")) as kept:
        said = (kept["test_logits"] + offsets).argmax(axis=1)
        score = f1_score(kept["y_test"], said, average="macro")
    assert metrics["test_tuned_f1_macro"] == pytest.approx(score, abs=1e-12)


def test_what_cannot_be_promoted_says_so_in_one_sentence(runs):
    store = Store.at(str(runs.cwd / "mlruns"), None)
    *_, other, scores_alone = (run.info.run_id for run in runs.found)
    with pytest.raises(UserError, match=r"kept its scores alone; .*tracking\.detail=full force=t"):
        promote(store, scores_alone, "mine", "champion")
    with pytest.raises(UserError, match=rf"not saved with its run; .*src\.promote {other} --name"):
        find_model(other, str(runs.cwd / "mlruns"), None)
    runs.client.log_metric(other, "test_f1_macro", 0.999)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(runs.cwd)
        with pytest.raises(UserError, match=r"fitted again, it gives other numbers.* for 0\.999; "):
            promote(store, other, "mine", "champion")
    (runs.cwd / "mine.csv").rename(runs.cwd / "moved.csv")
    with pytest.raises(UserError, match=r"mine\.csv"):
        promote(store, other, "mine", "champion")
    (runs.cwd / "moved.csv").rename(runs.cwd / "mine.csv")


def test_a_file_with_anything_but_an_estimator_is_not_loaded(tmp_path):
    file = tmp_path / "model.skops"
    save_estimator(file, FunctionTransformer(os.mkdir, kw_args={"path": str(tmp_path / "made")}))
    with pytest.raises(UserError, match=r"holds posix\.mkdir, which is not loaded"):
        load_estimator(file)
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(UserError, match=r"model\.skops: no estimator can be loaded from it: Bad"):
        load_estimator(file)
    assert not (tmp_path / "made").exists()
    facts = {"class_names": ["a", "b"], "offsets": [0, 0], "input_shape": [2]}
    nothing = {"feature_names": None, "table": None}
    (tmp_path / "serving.json").write_text(json.dumps(facts | nothing))
    with pytest.raises(UserError, match=r"Where you trust whoever made it, add --trust-code"):
        find_model(str(tmp_path), "mlruns", None)
