"""Curves from predictions against scikit-learn and against the recorded metrics."""

import numpy as np
import pytest
from made_store import predictions_of
from scipy.special import softmax
from sklearn.metrics import average_precision_score, confusion_matrix, precision_recall_curve

from src.analysis.curves import (
    RECALLS,
    average_precision,
    confusion,
    mean_precision,
    precision_recall,
    reliability,
)
from src.analysis.evidence import Predictions
from src.evaluation.calibration import expected_calibration_error


def predictions(seed, *, ties=False):
    arrays = predictions_of("ce", seed)
    p = softmax(arrays["test_logits"].astype(float), axis=1)
    p = np.round(p, 1) if ties else p
    return Predictions(arrays["y_test"], p, p.argmax(axis=1))


@pytest.mark.parametrize("ties", [False, True])
def test_precision_and_recall_are_scikit_learns(ties):
    one = predictions(0, ties=ties)
    scores, positive = one.probabilities[:, 1], one.y_true == 1
    precision, recall = precision_recall(one, 1)
    expected = precision_recall_curve(positive, scores)
    assert precision[::-1] == pytest.approx(expected[0][:-1])
    assert recall[::-1] == pytest.approx(expected[1][:-1])
    area = average_precision_score(positive, scores)
    assert average_precision(precision, recall) == pytest.approx(area)


def test_mean_precision_is_the_best_at_each_recall_or_more():
    runs = [predictions(seed) for seed in range(3)]
    curve, area = mean_precision(runs, 1)
    for recall in (0.0, 0.3, 1.0):
        best = [
            max(p for p, r in zip(*precision_recall(one, 1), strict=True) if r >= recall - 1e-12)
            for one in runs
        ]
        assert curve[np.abs(RECALLS - recall).argmin()] == pytest.approx(np.mean(best))
    areas = [average_precision_score(one.y_true == 1, one.probabilities[:, 1]) for one in runs]
    assert area == pytest.approx(np.mean(areas))


def test_a_class_without_rows_has_no_curve():
    one = predictions(0)
    nobody = Predictions(np.zeros_like(one.y_true), one.probabilities, one.y_pred)
    assert mean_precision([nobody], 1)[0].size == 0


def test_reliability_adds_up_to_the_calibration_error():
    one = predictions(1)
    confidence, accuracy, share = reliability([one])
    error = expected_calibration_error(one.y_true, one.probabilities)
    assert (share * np.abs(accuracy - confidence)).sum() == pytest.approx(error)


def test_confusion_is_scikit_learns_over_all_seeds():
    runs = [predictions(seed) for seed in range(2)]
    expected = sum(confusion_matrix(one.y_true, one.y_pred) for one in runs)
    assert (confusion(runs) == expected).all()
