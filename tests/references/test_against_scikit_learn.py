"""An estimator scores what scikit-learn and imbalanced-learn give on the same splits, by hand."""

import numpy as np
import pytest
from imblearn.ensemble import (
    BalancedRandomForestClassifier,
    EasyEnsembleClassifier,
    RUSBoostClassifier,
)
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import (
    AdaBoostClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, balanced_accuracy_score, f1_score, log_loss
from sklearn.tree import DecisionTreeClassifier
from threadpoolctl import threadpool_limits

from src.data.digits import digits
from src.data.simulated import simulated
from src.data.table import table
from src.errors import UserError
from src.references.estimators import ESTIMATORS, check_estimator
from src.references.fit import LEAST, fit

SEED = 3
BY_HAND = {
    "majority": ({}, DummyClassifier(strategy="most_frequent")),
    "logistic_regression": (
        {"C": 0.1, "class_weight": "balanced"},
        LogisticRegression(C=0.1, class_weight="balanced", max_iter=10_000),
    ),
    "random_forest": (
        {"n_estimators": 15, "min_samples_leaf": 4, "class_weight": None},
        RandomForestClassifier(15, min_samples_leaf=4, random_state=SEED),
    ),
    "hist_gradient_boosting": (
        {"learning_rate": 0.3, "max_iter": 10, "class_weight": "balanced"},
        HistGradientBoostingClassifier(
            learning_rate=0.3, max_iter=10, class_weight="balanced", random_state=SEED
        ),
    ),
    "balanced_random_forest": (
        {"n_estimators": 15, "min_samples_leaf": 2},
        BalancedRandomForestClassifier(15, min_samples_leaf=2, random_state=SEED),
    ),
    "easy_ensemble": (
        {"n_estimators": 3, "learning_rate": 0.5},
        EasyEnsembleClassifier(3, AdaBoostClassifier(learning_rate=0.5), random_state=SEED),
    ),
    "rus_boost": (
        {"n_estimators": 10, "learning_rate": 0.1, "max_depth": 2},
        RUSBoostClassifier(
            DecisionTreeClassifier(max_depth=2),
            n_estimators=10,
            learning_rate=0.1,
            random_state=SEED,
        ),
    ),
}


def fitted(name, dataset, **keys):
    keys = keys or BY_HAND[name][0]
    return fit({"estimator": {"name": name, **keys}, "training": {"seed": SEED}}, dataset)


def written_table(folder):
    """Numbers with gaps, a category, and three classes of 240, 60 and 30 rows."""
    random = np.random.default_rng(0)
    y = np.repeat(["common", "rare", "rarest"], [240, 60, 30])
    lines = [
        f"{'' if row % 9 == 0 else round(random.normal() + len(name) % 3, 3)},"
        f"{round(random.normal(), 3)},{'ab'[int(random.random() < 0.4)]},{name}"
        for row, name in enumerate(y)
    ]
    file = folder / "mine.csv"
    file.write_text("\n".join(["p,q,colour,kind", *lines]))
    return table(str(file), seed=SEED)


@pytest.fixture(scope="module")
def datasets(tmp_path_factory):
    return {
        "two classes": simulated(n_samples=1500, minority_fraction=0.1, seed=SEED),
        "three classes": written_table(tmp_path_factory.mktemp("table")),
        "images": digits(seed=SEED),
    }


@pytest.mark.parametrize("data", ["two classes", "three classes", "images"])
@pytest.mark.parametrize("name", BY_HAND)
def test_scores_are_those_of_the_library_on_the_same_splits(datasets, name, data):
    dataset, oracle = datasets[data], BY_HAND[name][1]
    node = {"name": name, **BY_HAND[name][0]}
    if data == "images" and name in {"hist_gradient_boosting", "easy_ensemble", "rus_boost"}:
        with pytest.raises(UserError, match=rf"estimator={name}: .*data=digits are images.*right"):
            check_estimator(node, dataset)
        return
    check_estimator(node, dataset)
    rows = {
        split: getattr(dataset, f"x_{split}").reshape(len(getattr(dataset, f"y_{split}")), -1)
        for split in ("train", "val", "test")
    }
    with threadpool_limits(1):
        oracle.fit(rows["train"].astype(float), dataset.y_train)
    found = fitted(name, dataset).metrics
    for split, metric in (("test", "test_f1_macro"), ("val", "val_crossfit_f1_macro")):
        said = oracle.predict(rows[split].astype(float))
        truth = getattr(dataset, f"y_{split}")
        assert found[metric] == pytest.approx(f1_score(truth, said, average="macro"), abs=1e-12)
    said = oracle.predict(rows["test"].astype(float))
    wanted = balanced_accuracy_score(dataset.y_test, said)
    assert found["test_balanced_accuracy"] == pytest.approx(wanted, abs=1e-12)
    if name == "majority":
        return
    p = oracle.predict_proba(rows["test"].astype(float))
    of_class = np.eye(dataset.num_classes)[dataset.y_test]
    wanted = {
        "test_log_loss": log_loss(dataset.y_test, p),
        "test_average_precision": average_precision_score(of_class, p),
        "test_tuned_average_precision": average_precision_score(of_class, p),
        "test_brier": ((p - of_class) ** 2).sum(axis=1).mean(),
    }
    offsets = np.array([found[f"decision_offset_{k}"] for k in range(dataset.num_classes)])
    decisions = {
        "test_tuned_f1_macro": np.log(np.maximum(p, LEAST)) + offsets,
        "test_prior_f1_macro": p / np.bincount(dataset.y_train),
    }
    for metric, scores in decisions.items():
        wanted[metric] = f1_score(dataset.y_test, scores.argmax(axis=1), average="macro")
    assert {name: found[name] for name in wanted} == pytest.approx(wanted, abs=1e-12)


def test_the_majority_class_has_the_frequencies_for_probabilities(datasets):
    dataset = datasets["three classes"]
    found = fitted("majority", dataset)
    shares = np.bincount(dataset.y_train) / len(dataset.y_train)
    assert np.exp(found.logits["test_logits"]) == pytest.approx(
        np.tile(shares, (len(dataset.y_test), 1))
    )


@pytest.mark.parametrize("name", ["logistic_regression", "hist_gradient_boosting"])
def test_bits_are_the_same_whatever_threads_there_are(datasets, name):
    bits = []
    for threads in (1, 4):
        with threadpool_limits(threads):
            bits.append(fitted(name, datasets["three classes"]).logits["test_logits"].tobytes())
    assert bits[0] == bits[1]


def test_boosting_that_is_worse_than_random_ends_in_one_message(datasets):
    stumps = {"n_estimators": 10, "learning_rate": 0.1, "max_depth": 1}
    with pytest.raises(UserError, match=r"estimator=rus_boost: cannot be fitted on data mine: Bas"):
        fitted("rus_boost", datasets["three classes"], **stumps)


def test_every_estimator_is_tried_here():
    assert ESTIMATORS.keys() == BY_HAND.keys()
