"""A folder of pictures, by the commands of the README: a report to look at, and a served model."""

import base64
import io
import json
import re

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image
from scipy.special import softmax
from sklearn.datasets import load_digits

from src.predict import main as predict
from src.promote import main as promote
from src.runs.dataset_cache import cached_dataset
from src.serving.find import find_model
from src.serving.server import make_app
from tests.browser.test_report_page import OVERFLOW
from tests.serving.in_a_loop import asked

pytestmark = pytest.mark.slow

PICTURES = {3: 60, 5: 60, 8: 60, 9: 25}
"""Of each digit."""
WORDS = (
    *("-m", "+experiment=my_data", "data=image_folder", "data.root=pictures", "data.cache=cache"),
    *("tuning=none", "loss=ce,focal", "seed=0", "training.epochs=4", "training.batch_size=16"),
    *("training.learning_rate=0.003", "hydra/launcher=serial", "tracking.plots=false"),
)
OF_PIXELS = {
    *("majority", "logistic regression", "logistic regression, balanced", "random forest"),
    *("random forest, balanced", "balanced random forest"),
}


@pytest.fixture(scope="module")
def swept(train, empty_store, tmp_path_factory):
    """The folder, what was printed, and the report."""
    folder = tmp_path_factory.mktemp("pictures")
    digits = load_digits()
    for digit, count in PICTURES.items():
        (folder / "pictures" / f"digit {digit}").mkdir(parents=True)
        rows = np.flatnonzero(digits.target == digit)[:count]
        for row in rows:
            pixels = (digits.images[row] * 15).astype(np.uint8)
            Image.fromarray(pixels).save(folder / "pictures" / f"digit {digit}" / f"{row:04}.png")
    empty_store(folder / "mlruns")
    outcome = train(WORDS, folder)
    assert outcome.status == 0, outcome.err
    (place,) = re.findall(r"^Report: (.+)$", outcome.out, re.MULTILINE)
    return folder, outcome, folder / place


def test_one_command_says_its_time_and_ends_in_a_recommendation(swept):
    folder, outcome, report = swept
    assert re.search(r"^Plan: 2 losses = 2 runs, and 6 runs .* on 1 core\.$", *[outcome.out, re.M])
    assert "\nRecommendation" in outcome.out
    compared = json.loads(report.with_name("comparison.json").read_text())
    assert {one["reference"] for one in compared["for_scale"][0]["references"]} == OF_PIXELS
    configs = [yaml.safe_load(one.read_text()) for one in folder.glob("multirun/*/*/*/config.yaml")]
    models = [one["model"] for one in configs if one["estimator"]["name"] == "none"]
    assert {(one["name"], *one["filters"]) for one in models} == {("cnn", 16, 32)}


def test_the_report_shows_the_files_that_it_names(swept):
    folder, _, report = swept
    shown = re.findall(r'src="data:image/png;base64,(.*?)" alt="(.*?)"', report.read_text())
    assert shown
    for source, name in shown:
        seen = np.asarray(Image.open(io.BytesIO(base64.b64decode(source))))
        assert np.array_equal(seen, np.asarray(Image.open(folder / "pictures" / name)))


def test_the_recommended_run_is_promoted_predicts_its_files_and_is_served(
    swept, tmp_path, monkeypatch
):
    folder, outcome, report = swept
    root = ["--root", str(folder / "mlruns")]
    (advice,) = json.loads(report.with_name("comparison.json").read_text())["recommendations"]
    run_id = advice["run_id"]
    assert f"python -m src.promote {run_id} --name NAME --alias champion" in outcome.out
    promote([run_id, "--name", "digits", *root])
    monkeypatch.chdir(folder)
    predict(["pictures", "--model", "digits@champion", "-o", str(tmp_path / "out.csv"), *root])
    found = pd.read_csv(tmp_path / "out.csv").set_index("file")
    assert len(found) == sum(PICTURES.values())

    record = folder / "mlruns" / "artifacts" / run_id / "artifacts"
    dataset = cached_dataset(yaml.safe_load((record / "config.yaml").read_text())["data"])
    with np.load(record / "predictions.npz") as arrays:
        names = [name for name in ("tuned_test_logits", "test_logits") if name in arrays.files]
        recorded = [softmax(arrays[name].astype(np.float64), axis=1) for name in names]
    columns = [f"probability_{name}" for name in dataset.class_names]
    told = found.loc[list(dataset.test_ids), columns].to_numpy()
    assert min(np.abs(told - one).max() for one in recorded) < 1e-5

    name = dataset.test_ids[0]
    content = base64.b64encode((folder / "pictures" / name).read_bytes()).decode()
    body = {"dataframe_records": [{"image": content}]}
    status, answer = asked(make_app(find_model("digits@champion", root[1], None)), body)
    assert status == 200
    (row,) = answer["predictions"]
    assert row["class"] == found.loc[name, "class"]
    np.testing.assert_allclose(
        [row[column] for column in columns], found.loc[name, columns], atol=1e-6
    )


@pytest.mark.parametrize("width", [400, 1200])
def test_the_pictures_are_seen_in_a_browser_without_scrolling_to_the_side(swept, page, width):
    _, _, report = swept
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(report.as_uri())
    page.locator("nav a", has_text="Images").click()
    heading = page.locator("#images h2").bounding_box()
    assert 0 <= heading["y"] < 200
    pictures = page.locator("#images img")
    assert pictures.count() >= 2
    for box in pictures.evaluate_all("all => all.map(one => one.getBoundingClientRect().toJSON())"):
        assert box["width"] >= 48
        assert box["height"] >= 48
    assert all(pictures.evaluate_all("all => all.map(one => one.naturalWidth)"))
    assert page.evaluate(OVERFLOW) == []
    assert set(page.requests) <= {report.as_uri(), f"{report.as_uri()}#images"}
