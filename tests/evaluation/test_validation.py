"""What is chosen by: calibration as on the test split, and a tuned score that is not flattered."""

import numpy as np
import pytest
from sklearn.metrics import f1_score

from src.evaluation.decision import decide, tune_offsets
from src.evaluation.scores import score
from src.evaluation.validation import FOLDS, crossfit_f1, score_validation


def case(rows=300, classes=3, seed=0, signal=1.0):
    rng = np.random.default_rng(seed)
    y = rng.choice(classes, size=rows, p=np.array([8, 3, 1])[:classes] / sum([8, 3, 1][:classes]))
    y[:classes] = range(classes)
    return y, (signal * np.eye(classes)[y] + rng.normal(size=(rows, classes))).astype("float32")


def test_calibration_is_that_of_the_scores_of_a_split():
    y, logits = case()
    found, expected = score_validation(y, logits), score(y, logits).values
    for name in ("ece", "brier", "log_loss"):
        assert found[f"best_val_{name}"] == pytest.approx(expected[name], abs=1e-12)


def test_each_row_is_decided_by_offsets_tuned_without_it():
    y, logits = case()
    dealt = dict.fromkeys(range(3), 0)
    fold = np.empty(len(y), int)
    for row, k in enumerate(y):  # the n-th row of class k goes to fold n + k
        fold[row] = (dealt[k] + k) % FOLDS
        dealt[k] += 1
    chosen = np.empty(len(y), int)
    for number in range(FOLDS):
        held = fold == number
        chosen[held] = decide(logits[held], tune_offsets(y[~held], logits[~held]))
    assert crossfit_f1(y, logits) == f1_score(y, chosen, average="macro")


def test_where_there_is_nothing_to_learn_tuning_gains_nothing():
    """On pure noise offsets tuned on a split raise its score; cross-fitted they do not."""
    gains, honest = [], []
    for seed in range(20):
        y, logits = case(150, seed=seed, signal=0.0)
        plain = f1_score(y, logits.argmax(1), average="macro")
        tuned = decide(logits, tune_offsets(y, logits))
        gains.append(f1_score(y, tuned, average="macro") - plain)
        honest.append(crossfit_f1(y, logits) - plain)
    assert np.mean(gains) > 0.05
    assert np.mean(honest) < np.mean(gains) / 2


@pytest.mark.parametrize("rows", [3, 4, 7])
def test_a_few_rows_are_enough(rows):
    y, logits = case(rows)
    assert 0 <= score_validation(y, logits)["val_tuned_crossfit_f1_macro"] <= 1
