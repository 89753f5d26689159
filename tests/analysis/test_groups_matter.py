"""The example of docs/comparison.md: patients on both sides of a split make the answer wrong."""

import re
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from src.analysis.statistics.design import Design
from src.analysis.statistics.estimate import estimate
from src.data.table import table

PAGE = Path(__file__).parents[2] / "docs" / "comparison.md"
COLUMNS = [f"x{k}" for k in range(6)]
SEEDS = range(10)


def gain(x, y, x_test, y_test):
    """Macro F1 of the neighbour that is nearest, and of logistic regression; their difference."""
    models = KNeighborsClassifier(1), LogisticRegression(class_weight="balanced")
    fitted = [make_pipeline(StandardScaler(), model).fit(x, y) for model in models]
    one, other = (f1_score(y_test, model.predict(x_test), average="macro") for model in fitted)
    return one, other, 100 * (one - other)


@pytest.fixture(scope="module")
def example(tmp_path_factory):
    """The function of the page, and the file that its code writes."""
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    file, names = tmp_path_factory.mktemp("patients") / "patients.csv", {}
    exec(code.replace('"patients.csv"', f'"{file}"'), names)
    return names["patients"], file


def of_table(file, **split):
    """The mean difference over ten splits of the table, with the interval that fits them."""
    found = [table(str(file), "ill", seed=seed, **split) for seed in SEEDS]
    scores = np.array([gain(d.x_train, d.y_train, d.x_test, d.y_test) for d in found])
    kind = found[0].split
    known = estimate(
        scores[:, 2], list(map(str, SEEDS)), Design("table", kind, 0.25, seeds_per_split=1)
    )
    return kind, scores.mean(axis=0), known


def test_a_random_split_is_visibly_wrong_where_a_grouped_one_is_right(example):
    patients, file = example

    def on_new_patients(seed):
        seen, new = patients(seed, count=72), patients(10_000 + seed, count=400)
        return gain(seen[COLUMNS], seen["ill"] == "yes", new[COLUMNS], new["ill"] == "yes")

    truth = np.mean([on_new_patients(seed) for seed in range(1, 41)], axis=0)
    kind, leaking, by_rows = of_table(file, split="random", group="patient")
    assert kind == "random"
    assert leaking[0] > truth[0] + 0.3  # a patient's other visits were trained on
    assert by_rows.low > 20
    assert truth[2] < 0
    kind, honest, by_patient = of_table(file, group="patient")
    assert kind == "group"
    assert by_patient.low < truth[2] < by_patient.high < by_rows.low
    assert honest[0] == pytest.approx(truth[0], abs=0.1)
