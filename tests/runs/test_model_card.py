"""The model card says what the record says, and its intervals are those of the bootstrap."""

import re

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score

from src.data.dataset import SPLIT_KINDS
from src.evaluation.bootstrap import interval, resample
from src.runs.model_card import SPLITS
from src.tracking.card_note import LONGEST, note_of


def predictions(rows, classes, seed=0):
    rng = np.random.default_rng(seed)
    weights = 1 / np.arange(1, classes + 1)
    y_true = rng.choice(classes, rows, p=weights / weights.sum())
    y_pred = np.where(rng.random(rows) < 0.7, y_true, rng.integers(0, classes, rows))
    return y_true, y_pred


@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true")
def test_intervals_are_those_of_drawing_rows_and_asking_scikit_learn():
    y_true, y_pred = predictions(300, 3)
    drawn = resample(y_true, y_pred, 3)
    rng = np.random.default_rng(1)
    rows = rng.integers(0, 300, (600, 300))
    scores = {
        "f1_macro": [
            f1_score(y_true[r], y_pred[r], average="macro", labels=range(3), zero_division=0)
            for r in rows
        ],
        "accuracy": [accuracy_score(y_true[r], y_pred[r]) for r in rows],
        "balanced_accuracy": [balanced_accuracy_score(y_true[r], y_pred[r]) for r in rows],
    }
    for name, values in scores.items():
        ours = getattr(drawn, name)
        np.testing.assert_allclose(interval(ours), interval(np.array(values)), atol=0.015)
        assert ours.mean() == pytest.approx(np.mean(values), abs=0.005)
        assert ours.std() == pytest.approx(np.std(values), rel=0.12)


def test_a_resample_that_is_the_split_itself_scores_as_scikit_learn_does():
    """One kind of row only: every draw is the split."""
    y_true, y_pred = np.array([2, 2, 2]), np.array([1, 1, 1])
    drawn = resample(y_true, y_pred, 3)
    assert (drawn.f1_macro == 0).all()
    assert (drawn.balanced_accuracy == 0).all()
    np.testing.assert_allclose(resample(y_true, y_true, 3).f1_macro, 1 / 3)


@pytest.fixture(scope="module")
def card(in_use):
    return (in_use.output / "model_card.md").read_text()


def test_the_card_holds_the_recorded_scores_by_both_decisions(card, in_use):
    metrics = in_use.client.get_run(in_use.run_id).data.metrics
    row = re.search(r"\| macro F1 \| (.*?) \[(.*?), (.*?)\] \| (.*?) \[(.*?), (.*?)\] \|", card)
    argmax, low, high, tuned, tuned_low, tuned_high = map(float, row.groups())
    assert argmax == pytest.approx(metrics["test_f1_macro"], abs=5e-4)
    assert tuned == pytest.approx(metrics["test_tuned_f1_macro"], abs=5e-4)
    assert low < argmax < high
    assert tuned_low < tuned < tuned_high
    for name, score in (
        ("log loss", "log_loss"),
        ("expected calib", "ece"),
        ("average", "average_precision"),
    ):
        (line,) = [line for line in card.splitlines() if line.startswith(f"| {name}")]
        cells = [cell.split()[0] for cell in line.split(" | ")[1:]]
        assert cells == [f"{metrics[f'test_{of}{score}']:.4f}" for of in ("", "tuned_", "prior_")]
    epochs = [int(metrics[name]) for name in ("best_epoch", "best_epoch_tuned")]
    assert "epoch {} for argmax, of epoch {} for tuned".format(*epochs) in card
    with np.load(in_use.output / "predictions.npz") as arrays:
        y_test, logits = arrays["y_test"], arrays["test_logits"]
    for k, name in enumerate(("ill", "well")):
        cells = re.search(rf"^\| {name} \| (.*) \|$", card, re.MULTILINE)[1].split(" | ")
        assert int(cells[1]) == (y_test == k).sum()
        expected = f1_score(y_test == k, logits.argmax(axis=1) == k)
        assert float(cells[2].split(" [")[0]) == pytest.approx(expected, abs=5e-4)


def test_the_card_says_what_the_model_does_with_strange_rows_and_how_to_load_it(card):
    assert "One split and one seed" in card
    assert "to test, stratified by class" in card
    assert set(SPLITS) == set(SPLIT_KINDS)  # each kind of split has its own words
    assert "A category that training did not see" in card
    assert "A missing number counts as the median" in card
    assert "mlflow.pyfunc.load_model" in card
    assert "| `grade` | 3 categories |" in card
    assert re.search(r"Few test rows, hence unsure scores: ill \(\d\d\)", card)


def test_a_card_too_long_for_a_description_loses_its_last_sections():
    short = "# Model card\n\n## Results\n\nfine\n"
    assert note_of(short) == "## Results\n\nfine\n"
    long = short + "\n## By class\n\n" + "| row |\n" * 3000
    note = note_of(long)
    assert len(note) <= LONGEST
    assert "fine" in note
    assert "## By class" not in note
    assert "model_card.md" in note
