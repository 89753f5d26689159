"""The scores of a split, held against scikit-learn, classes that are absent included."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import log_softmax
from sklearn import metrics

from src.errors import UserError
from src.evaluation.decision import decide, tune_offsets
from src.evaluation.scores import score, score_offsets, score_validation


@st.composite
def predictions(draw):
    """Labels of some of K classes, and logits that favour some of them."""
    classes = draw(st.integers(2, 6))
    rows = draw(st.integers(1, 40))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    seen = draw(st.lists(st.integers(0, classes - 1), min_size=1, unique=True))
    favoured = draw(st.lists(st.integers(0, classes - 1), min_size=1, unique=True))
    logits = rng.normal(size=(rows, classes)).astype("float32")
    logits[:, favoured] += draw(st.sampled_from([0.0, 3.0, 100.0]))
    return rng.choice(seen, size=rows), logits


@settings(max_examples=150, deadline=None, derandomize=True)
@given(predictions())
def test_scores_are_those_of_scikit_learn(case):
    y, logits = case
    classes = range(logits.shape[1])
    said = logits.argmax(axis=1)
    scores = score(y, logits)
    options = {"labels": classes, "zero_division": 0}
    expected = {
        "f1_macro": metrics.f1_score(y, said, average="macro", **options),
        "accuracy": metrics.accuracy_score(y, said),
        "balanced_accuracy": metrics.recall_score(
            y, said, labels=np.unique(y), average="macro", zero_division=0
        ),
    }
    for name, function in (
        ("f1", metrics.f1_score),
        ("precision", metrics.precision_score),
        ("recall", metrics.recall_score),
    ):
        each = function(y, said, average=None, **options)
        expected |= {f"{name}_class_{k}": each[k] for k in classes}
    counts = metrics.multilabel_confusion_matrix(y, said, labels=classes)
    for name, cell in (("tp", (1, 1)), ("fp", (0, 1)), ("fn", (1, 0))):
        expected |= {f"{name}_class_{k}": counts[(k, *cell)] for k in classes}
    probabilities = np.exp(logits.astype("float64"))
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    expected["log_loss"] = -np.log(probabilities[np.arange(len(y)), y]).mean()
    for k in np.unique(y).tolist():
        one, score_of_class = y == k, log_softmax(logits.astype("float64"), axis=1)[:, k]
        each = metrics.average_precision_score(one, score_of_class)
        expected[f"average_precision_class_{k}"] = each
    seen = [value for name, value in expected.items() if name.startswith("average_precision")]
    expected["average_precision"] = np.mean(seen)
    found = {name: scores.values[name] for name in expected}
    assert found == pytest.approx(expected, abs=1e-9, rel=1e-9)
    np.testing.assert_array_equal(
        scores.confusion, metrics.confusion_matrix(y, said, labels=classes)
    )


def test_average_precision_in_closed_form_with_ties_and_a_class_without_rows():
    """Ranks of class 1: a hit, then two equal scores of which one is a hit, then a miss."""
    y, odds = np.array([1, 0, 1, 0]), np.array([3.0, 1.0, 1.0, -1.0])
    logits = np.stack([np.zeros(4), odds, np.full(4, -50.0)], axis=1).astype("float32")
    found = score(y, logits).values
    assert found["average_precision_class_1"] == pytest.approx(1 / 2 * 1 + 1 / 2 * 2 / 3)
    assert found["average_precision_class_0"] == pytest.approx(1 / 2 * 1 + 1 / 2 * 2 / 3)
    assert "average_precision_class_2" not in found
    assert found["average_precision"] == pytest.approx(5 / 6)
    assert not [name for name, value in found.items() if np.isnan(value)]


def test_logits_too_far_apart_for_exp_give_a_finite_log_loss():
    scores = score(np.array([0]), np.array([[-2000.0, 2000.0]], "float32"))
    assert scores.values["log_loss"] == pytest.approx(4000.0)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize(
    "scored",
    [
        score,
        score_validation,
        tune_offsets,
        lambda y, logits: decide(logits, np.zeros(2)),
        lambda y, logits: score_offsets("tuned", np.zeros(2), y, y, (logits, 0 * y[:, None])),
        lambda y, logits: score_offsets("prior", np.zeros(2), y, y, (np.zeros((4, 2)), logits)),
    ],
    ids=["score", "validation", "tuning", "decision", "tuned", "by prior, on test"],
)
def test_scores_that_are_not_finite_are_no_class(scored, bad):
    y, logits = np.array([0, 1, 0, 1]), np.zeros((4, 2), "float32")
    logits[2, 1] = bad
    with pytest.raises(UserError, match="scores of row 2: NaN or infinite"):
        scored(y, logits)
