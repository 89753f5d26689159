"""Tuned decisions against scikit-learn at every threshold, calibration by its definition."""

import numpy as np
import pytest
from scipy.special import softmax
from scipy.stats import norm
from sklearn.metrics import (
    balanced_accuracy_score,
    brier_score_loss,
    f1_score,
    multilabel_confusion_matrix,
    recall_score,
)

from src.evaluation.calibration import brier_score, expected_calibration_error
from src.evaluation.decision import decide, prior_offsets, tune_offsets
from src.evaluation.scores import score, score_decisions, score_offsets


def macro_f1(y_true, y_pred, classes):
    return f1_score(y_true, y_pred, average="macro", labels=range(classes), zero_division=0)


def made(seed, count=80, classes=2, *, rounded=False):
    rng = np.random.default_rng(seed)
    shares = np.arange(classes, 0, -1.0) ** 2
    y = rng.choice(classes, count, p=shares / shares.sum())
    logits = rng.normal(0, 1, (count, classes))
    logits[np.arange(count), y] += 1
    logits[:, 0] += 1
    return y, (np.round(logits) if rounded else logits).astype(np.float32)


@pytest.mark.parametrize("seed", range(15))
def test_two_classes_get_the_best_of_all_thresholds(seed):
    y, logits = made(seed, rounded=seed % 3 == 0)  # rounded: many equal margins
    margin = logits[:, 1].astype(float) - logits[:, 0]
    edges = np.unique(margin)
    thresholds = [edges[0] - 1, *(edges[1:] + edges[:-1]) / 2, edges[-1] + 1]
    best = max(macro_f1(y, (margin > threshold).astype(int), 2) for threshold in thresholds)
    offsets = tune_offsets(y, logits)
    assert offsets[0] == 0
    assert macro_f1(y, decide(logits, offsets), 2) == pytest.approx(best, abs=1e-12)


def plain_macro_f1(y, said, classes):
    table = np.bincount(classes * y + said, minlength=classes**2).reshape(classes, classes)
    return (2 * table.diagonal() / np.maximum(table.sum(0) + table.sum(1), 1)).mean()


def by_trying_all(y, logits):
    """The same search with nothing kept: every threshold of a class is decided and scored anew."""
    classes = logits.shape[1]
    offsets, stayed = np.zeros(classes), 0
    order = np.argsort(np.bincount(y, minlength=classes), kind="stable").tolist()
    while stayed < classes:
        k = order[0]
        shifted = logits.astype(float) + offsets
        lead = shifted[:, k] - np.delete(shifted, k, axis=1).max(axis=1)
        edges = np.unique(lead)[::-1]
        moves = -np.array([edges[0] + 1, *(edges[:-1] + edges[1:]) / 2, edges[-1] - 1])
        scores = [
            plain_macro_f1(y, (shifted + move * (np.arange(classes) == k)).argmax(axis=1), classes)
            for move in moves
        ]
        rise = max(scores) - plain_macro_f1(y, shifted.argmax(axis=1), classes)
        good = moves[np.array(scores) >= max(scores) - 1e-10]
        offsets[k] += good[np.abs(good).argmin()] if rise > 1e-10 else 0.0
        stayed = 0 if rise > 1e-10 else stayed + 1
        order.append(order.pop(0))
    return offsets


@pytest.mark.parametrize("classes", [3, 4, 7, 25])
def test_more_classes_get_the_offsets_that_trying_every_threshold_gives(classes):
    for seed in range(3):
        y, logits = made(seed, 120, classes)
        again = np.random.default_rng(seed).integers(0, 120, 40)
        y, logits = np.append(y, y[again] // 2), np.concatenate([logits, logits[again]])  # ties
        np.testing.assert_allclose(tune_offsets(y, logits), by_trying_all(y, logits), atol=1e-9)


def test_nothing_moves_where_argmax_is_as_good_as_any():
    y = np.array([0, 0, 1, 1, 2])
    assert not tune_offsets(y, np.eye(3)[y].astype(np.float32)).any()


def test_of_equally_good_offsets_the_least_move_is_taken():
    y = np.array([0, 0, 0, 1, 1])
    margin = np.array([-5.0, -4.0, -3.0, -1.0, 2.0])  # any offset from 1 to 3 is perfect
    offsets = tune_offsets(y, np.stack([np.zeros(5), margin], axis=1))
    assert offsets.tolist() == [0.0, 2.0]  # half-way between -3 and -1


def score_tuned(y_val, val, y_test, test):
    return score_offsets("tuned", tune_offsets(y_val, val), y_val, y_test, (val, test))


def test_tuned_scores_are_scikit_learns_on_the_moved_decisions():
    y_val, val = made(1, 120, 3)
    y_test, test = made(2, 90, 3)
    found = score_tuned(y_val, val, y_test, test)
    offsets = [found[f"decision_offset_{k}"] for k in range(3)]
    y_pred = (test.astype(float) + offsets).argmax(axis=1)
    assert found["test_tuned_f1_macro"] == pytest.approx(macro_f1(y_test, y_pred, 3))
    expected = balanced_accuracy_score(y_test, y_pred)
    assert found["test_tuned_balanced_accuracy"] == pytest.approx(expected)
    recalls = recall_score(y_test, y_pred, average=None)
    assert [found[f"test_tuned_recall_class_{k}"] for k in range(3)] == pytest.approx(recalls)
    counts = multilabel_confusion_matrix(y_test, y_pred)
    for k in range(3):
        tp, fp, fn = (found[f"test_tuned_{name}_class_{k}"] for name in ("tp", "fp", "fn"))
        np.testing.assert_array_equal(counts[k], [[len(y_test) - tp - fp - fn, fp], [fn, tp]])
    plain = score(y_test, test).values
    for name in ("ece", "brier", "log_loss", "average_precision"):
        assert found[f"test_tuned_{name}"] == plain[name]
    assert found["val_tuned_ece"] == score(y_val, val).values["ece"]
    on_val = (val.astype(float) + offsets).argmax(axis=1)
    assert found["val_tuned_f1_macro"] == pytest.approx(macro_f1(y_val, on_val, 3))


def test_the_test_split_has_no_say_in_the_offsets():
    y_val, val = made(1)
    one, other = (score_tuned(y_val, val, *made(seed)) for seed in (2, 3))
    assert one["decision_offset_1"] == other["decision_offset_1"]
    assert one["test_tuned_f1_macro"] != other["test_tuned_f1_macro"]


# --- the decision by prior ------------------------------------------------------------------------
def test_the_prior_is_taken_out_as_the_paper_has_it():
    counts = np.array([800, 150, 50])
    _, logits = made(3, 90, 3)
    prior = counts / counts.sum()
    for tau in (0.0, 0.5, 1.0):
        expected = (softmax(logits.astype(float), axis=1) / prior**tau).argmax(axis=1)
        np.testing.assert_array_equal(decide(logits, prior_offsets(counts, tau)), expected)


def test_of_known_densities_it_has_the_highest_mean_recall_that_scikit_learn_measures():
    """Two normal distributions a unit apart: the best threshold for mean recall is half-way."""
    rng = np.random.default_rng(0)
    counts = np.array([95_000, 5_000])
    y = np.repeat([0, 1], counts)
    x = rng.normal(y, 1.0)
    log_p = np.stack([norm.logpdf(x, k) + np.log(counts[k]) for k in range(2)], axis=1)
    said = decide(log_p, prior_offsets(counts))
    np.testing.assert_array_equal(said, x > 0.5)
    closed_form = norm.cdf(0.5)
    recall = balanced_accuracy_score(y, said)
    assert recall == pytest.approx(closed_form, abs=0.01)
    assert recall > balanced_accuracy_score(y, log_p.argmax(axis=1)) + 0.1


def test_a_class_without_training_rows_counts_as_one_row():
    np.testing.assert_array_equal(prior_offsets(np.array([9, 0])), prior_offsets(np.array([9, 1])))


def test_each_decision_is_scored_on_its_own_logits():
    y_val, y_test = made(1, 120, 3)[0], made(2, 90, 3)[0]
    logits = {
        name: (made(seed, 120, 3)[1], made(seed + 1, 90, 3)[1])
        for seed, name in ((3, "argmax"), (5, "tuned"), (7, "prior"))
    }
    offsets = prior_offsets(np.array([70, 20, 10]))
    found = score_decisions(y_val, y_test, logits, offsets).values
    assert [found[f"prior_offset_{k}"] for k in range(3)] == offsets.tolist()
    for split, y, index in (("val", y_val, 0), ("test", y_test, 1)):
        by_prior = (logits["prior"][index].astype(float) + offsets).argmax(axis=1)
        assert found[f"{split}_prior_f1_macro"] == pytest.approx(macro_f1(y, by_prior, 3))
    tuned = [found[f"decision_offset_{k}"] for k in range(3)]
    by_offsets = (logits["tuned"][1].astype(float) + tuned).argmax(axis=1)
    assert found["test_tuned_f1_macro"] == pytest.approx(macro_f1(y_test, by_offsets, 3))
    plain = [one.argmax(axis=1) for one in logits["argmax"]]
    assert found["best_val_f1_macro"] == pytest.approx(macro_f1(y_val, plain[0], 3))
    assert found["test_f1_macro"] == pytest.approx(macro_f1(y_test, plain[1], 3))
    assert found["val_prior_ece"] == score(y_val, logits["prior"][0]).values["ece"]


@pytest.mark.parametrize("classes", [2, 5])
def test_brier_score_is_scikit_learns_unhalved(classes):
    y, logits = made(3, 100, classes)
    probabilities = softmax(logits.astype(float), axis=1)
    column = probabilities[:, 1] if classes == 2 else probabilities
    expected = brier_score_loss(y, column, labels=range(classes), scale_by_half=False)
    assert brier_score(y, probabilities) == pytest.approx(expected)
    assert score(y, logits).values["brier"] == pytest.approx(expected)


def test_calibration_error_is_the_weighted_gap_of_fifteen_bins():
    y, logits = made(4, 300, 3)
    probabilities = softmax(logits.astype(float), axis=1)
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == y
    expected = 0.0
    for low in np.arange(15) / 15:
        inside = (confidence > low) & (confidence <= low + 1 / 15)
        if inside.any():
            gap = abs(right[inside].mean() - confidence[inside].mean())
            expected += inside.mean() * gap
    assert expected_calibration_error(y, probabilities) == pytest.approx(expected)
    assert score(y, logits).values["ece"] == pytest.approx(expected)


def test_calibration_error_in_closed_form():
    y = np.array([0] * 9 + [1])
    sure = np.tile([0.9, 0.1], (10, 1))
    assert expected_calibration_error(y, sure) == pytest.approx(0.0)
    assert expected_calibration_error(y, np.tile([1.0, 0.0], (10, 1))) == pytest.approx(0.1)
    assert np.isnan(expected_calibration_error(y, sure * np.nan))
