"""Relatives of cross-entropy, and soft macro F1, against Keras, scikit-learn and their formulas."""

import math

import keras
import numpy as np
import pytest
from sklearn.metrics import f1_score

from src.components import (
    GeneralizedCrossentropy,
    LabelSmoothingCrossentropy,
    PolyCrossentropy,
    SoftMacroF1Loss,
)

RANDOM = np.random.default_rng(0)
Y = RANDOM.integers(0, 4, 40)
LOGITS = RANDOM.normal(scale=3, size=(40, 4))
P_TRUE = np.exp(LOGITS[range(40), Y]) / np.exp(LOGITS).sum(1)
CROSS_ENTROPY = -np.log(P_TRUE)


def values(loss):
    return np.asarray(loss.call(Y, LOGITS))


@pytest.mark.parametrize("epsilon", [-1.0, 0.0, 2.0])
def test_poly_1_adds_to_cross_entropy(epsilon):
    expected = CROSS_ENTROPY + epsilon * (1 - P_TRUE)
    np.testing.assert_allclose(values(PolyCrossentropy(epsilon)), expected, rtol=1e-9)


def test_poly_1_is_the_series_with_another_first_coefficient():
    series = sum((1 - 0.8) ** j / j for j in range(1, 60)) + 0.5 * (1 - 0.8)
    loss = PolyCrossentropy(0.5)([0], [[math.log(4.0), 0.0]])  # p_t = 0.8
    assert float(loss) == pytest.approx(series, rel=1e-6)


def test_generalised_cross_entropy_lies_between_cross_entropy_and_absolute_error():
    by_formula = (1 - P_TRUE**0.7) / 0.7
    np.testing.assert_allclose(values(GeneralizedCrossentropy(0.7)), by_formula, rtol=1e-9)
    np.testing.assert_allclose(values(GeneralizedCrossentropy(1e-9)), CROSS_ENTROPY, rtol=1e-6)
    p = np.exp(LOGITS) / np.exp(LOGITS).sum(1, keepdims=True)
    absolute = keras.losses.MeanAbsoluteError(reduction=None, dtype="float64")(np.eye(4)[Y], p)
    np.testing.assert_allclose(2 * values(GeneralizedCrossentropy(1)), 4 * absolute, rtol=1e-9)


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.6])
def test_label_smoothing_is_that_of_keras(smoothing):
    theirs = keras.losses.CategoricalCrossentropy(
        from_logits=True, label_smoothing=smoothing, reduction=None, dtype="float64"
    )
    expected = theirs(np.eye(4)[Y], LOGITS)
    np.testing.assert_allclose(values(LabelSmoothingCrossentropy(smoothing)), expected, rtol=1e-9)


@pytest.mark.parametrize("classes", [[0, 1, 2, 3], [0, 1]])  # of four, which a batch may lack
def test_soft_macro_f1_of_sure_predictions_is_that_of_scikit_learn(classes):
    truth, predicted = RANDOM.choice(classes, 30), RANDOM.choice(classes, 30)
    expected = 1 - f1_score(truth, predicted, average="macro", labels=range(4), zero_division=0)
    loss = SoftMacroF1Loss().call(truth, 1e4 * np.eye(4)[predicted])
    np.testing.assert_allclose(loss, np.full(30, expected), rtol=1e-9)


def test_soft_macro_f1_counts_probabilities():
    p = np.exp(LOGITS) / np.exp(LOGITS).sum(1, keepdims=True)
    of_class = [2 * p[c == Y, c].sum() / (p[:, c].sum() + (c == Y).sum()) for c in range(4)]
    np.testing.assert_allclose(values(SoftMacroF1Loss()), 1 - np.mean(of_class), rtol=1e-9)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: PolyCrossentropy(-1.1), "`epsilon` must be a finite number >= -1. Got -1.1"),
        (lambda: PolyCrossentropy(math.inf), "`epsilon`.*inf"),
        (
            lambda: GeneralizedCrossentropy(0),
            "`q` must be a finite number > 0 and at most 1. Got 0",
        ),
        (lambda: GeneralizedCrossentropy(1.5), "`q`.*1.5"),
        (lambda: LabelSmoothingCrossentropy(1.0), "`smoothing`.*1.0"),
    ],
)
def test_constructors_name_the_argument_and_the_bad_value(make, message):
    with pytest.raises(ValueError, match=message):
        make()
