"""Curves from predictions against scikit-learn and against the recorded metrics."""

import numpy as np
import pytest
from made_store import predictions_of
from scipy.special import softmax
from sklearn.metrics import average_precision_score, confusion_matrix, precision_recall_curve

from src.analysis.figures.curves import RECALLS, confusion, mean_precision, reliability
from src.analysis.figures.evidence import Predictions
from src.evaluation.calibration import expected_calibration_error


def predictions(seed, *, ties=False):
    arrays = predictions_of("ce", seed)
    p = softmax(arrays["test_logits"].astype(float), axis=1)
    p = np.round(p, 1) if ties else p
    return Predictions(arrays["y_test"], p, p.argmax(axis=1))


@pytest.mark.parametrize("ties", [False, True])
def test_mean_precision_is_the_best_at_each_recall_or_more(ties):
    runs = [predictions(seed, ties=ties) for seed in range(3)]
    columns = [(one.y_true == 1, one.probabilities[:, 1]) for one in runs]
    curve, area = mean_precision(runs, 1)
    for recall in (0.0, 0.3, 1.0):
        best = []
        for positive, scores in columns:
            precisions, recalls, _ = precision_recall_curve(positive, scores)
            best.append(precisions[:-1][recalls[:-1] >= recall - 1e-12].max())
        assert curve[np.abs(RECALLS - recall).argmin()] == pytest.approx(np.mean(best))
    areas = [average_precision_score(positive, scores) for positive, scores in columns]
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
