"""The scores of a split, held against scikit-learn, classes that are absent included."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from src.errors import UserError
from src.evaluation.decision import decide, tune_offsets
from src.evaluation.scores import score, score_tuned, score_validation


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
    probabilities = np.exp(logits.astype("float64"))
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    expected["log_loss"] = -np.log(probabilities[np.arange(len(y)), y]).mean()
    found = {name: scores.values[name] for name in expected}
    assert found == pytest.approx(expected, abs=1e-9, rel=1e-9)
    np.testing.assert_array_equal(
        scores.confusion, metrics.confusion_matrix(y, said, labels=classes)
    )


def test_a_class_never_seen_nor_predicted_counts_zero():
    scores = score(np.array([0, 1]), np.eye(3, dtype="float32")[:2])
    assert scores.values["f1_macro"] == pytest.approx(2 / 3)
    assert scores.values["f1_class_2"] == 0.0


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
        lambda y, logits: score_tuned(y, logits, y, logits),
        lambda y, logits: score_tuned(y, np.zeros_like(logits), y, logits),
    ],
    ids=["score", "validation", "tuning", "decision", "tuned", "tuned, on test"],
)
def test_scores_that_are_not_finite_are_no_class(scored, bad):
    y, logits = np.array([0, 1, 0, 1]), np.zeros((4, 2), "float32")
    logits[2, 1] = bad
    with pytest.raises(UserError, match="scores of row 2: NaN or infinite"):
        scored(y, logits)
