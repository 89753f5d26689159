"""The choice of an epoch for each decision, and scores that the choice does not flatter."""

import numpy as np
import pytest
from sklearn.metrics import f1_score

from src.evaluation.decision import decide, prior_offsets, tune_offsets
from src.evaluation.epoch_choice import FOLDS, OWN_EPOCH, EpochChoice, deal
from src.evaluation.reachable_f1 import ReachableF1
from src.evaluation.scores import score, score_validation


def labels(rows=300, classes=3, seed=0):
    rng = np.random.default_rng(seed)
    shares = np.array([8, 3, 1])[:classes]
    y = rng.choice(classes, size=rows, p=shares / shares.sum())
    y[:classes] = range(classes)
    return y, rng


def scored(y, rng, signal=1.0, classes=3):
    noise = rng.normal(size=(len(y), classes))
    return (signal * np.eye(classes)[y] + noise).astype("float32")


def macro_f1(y, said, classes=3):
    return f1_score(y, said, average="macro", labels=range(classes), zero_division=0)


def prior(classes=3):
    return prior_offsets(np.array([8, 3, 1])[:classes])


def shown(y, epochs, classes=3):
    choice = EpochChoice(y, prior(classes))
    for epoch, logits in enumerate(epochs):
        choice.add(epoch, logits)
    return choice


def test_validation_scores_are_those_of_a_split_in_float64():
    y, rng = labels()
    logits = scored(y, rng)
    found, expected = score_validation(y, logits), score(y, logits).values
    for name in ("ece", "brier", "log_loss", "f1_macro"):
        assert found[f"best_val_{name}"] == expected[name]


# --- the criterion of the tuned decision ----------------------------------------------------------
@pytest.mark.parametrize("seed", range(30))
def test_with_two_classes_it_is_the_macro_f1_that_tuned_offsets_reach(seed):
    y, rng = labels(rows=[4, 30, 200][seed % 3], classes=2, seed=seed)
    logits = scored(y, rng, classes=2)
    logits = np.round(logits) if seed % 2 else logits  # many equal scores
    fold = deal(y, FOLDS)
    found = ReachableF1(y, fold, FOLDS, 2)(logits)
    for number in range(FOLDS + 1):
        kept = fold != number
        offsets = tune_offsets(y[kept], logits[kept])
        expected = macro_f1(y[kept], decide(logits[kept], offsets), 2)
        assert found[number] == pytest.approx(expected, abs=1e-12)


def test_with_more_classes_it_is_the_mean_of_each_class_at_its_own_best_threshold():
    y, rng = labels()
    logits = np.round(scored(y, rng))
    log_p = logits - np.log(np.exp(logits.astype(float)).sum(axis=1, keepdims=True))
    log_p = np.round(log_p, 5)  # equal ones are equal in float32 too
    fold = deal(y, FOLDS)
    found = ReachableF1(y, fold, FOLDS, 3)(logits)
    for number in range(FOLDS + 1):
        kept = fold != number
        best = [
            max(
                f1_score(y[kept] == k, log_p[kept, k] >= cut, zero_division=0)
                for cut in np.unique(log_p[:, k])
            )
            for k in range(3)
        ]
        assert found[number] == pytest.approx(np.mean(best), abs=1e-12)


def test_of_equally_good_epochs_the_first_is_taken():
    y, rng = labels()
    worse, best = scored(y, rng, 0.5), scored(y, rng, 2.0)
    assert shown(y, [worse, best, worse, best]).epoch("tuned") == 2


def test_the_decision_by_prior_takes_its_own_best_epoch():
    y, rng = labels(seed=3)
    epochs = [scored(y, rng, 1.5) for _ in range(6)]
    scores = [macro_f1(y, decide(one, prior())) for one in epochs]
    choice = shown(y, epochs)
    assert choice.epoch("prior") == int(np.argmax(scores)) + 1
    np.testing.assert_array_equal(choice.logits("prior"), epochs[int(np.argmax(scores))])
    plain = [macro_f1(y, one.argmax(1)) for one in epochs]
    assert np.argmax(scores) != np.argmax(plain), "else it would show nothing"


# --- scores by cross-fitting ----------------------------------------------------------------------
def test_each_fold_is_decided_as_the_others_alone_would_have_it():
    y, rng = labels(classes=2)
    epochs = [scored(y, rng, classes=2) for _ in range(7)]
    dealt, fold = dict.fromkeys(range(2), 0), np.empty(len(y), int)
    for row, k in enumerate(y):  # the n-th row of class k goes to fold n + k
        fold[row] = (dealt[k] + k) % FOLDS
        dealt[k] += 1
    argmax, tuned, by_prior = (np.empty(len(y), int) for _ in range(3))
    chosen, adjusted = set(), [decide(one, prior(2)) for one in epochs]
    for number in range(FOLDS):
        held = fold == number
        plain = [macro_f1(y[~held], one[~held].argmax(1), 2) for one in epochs]
        offsets = [tune_offsets(y[~held], one[~held]) for one in epochs]
        moved = [
            macro_f1(y[~held], decide(one[~held], of_one), 2)
            for one, of_one in zip(epochs, offsets, strict=True)
        ]
        argmax[held] = epochs[int(np.argmax(plain))][held].argmax(1)
        best = int(np.argmax(np.round(moved, 12)))
        tuned[held] = decide(epochs[best][held], offsets[best])
        shifted = [macro_f1(y[~held], one[~held], 2) for one in adjusted]
        by_prior[held] = adjusted[int(np.argmax(shifted))][held]
        chosen |= {int(np.argmax(plain)), best}
    found = shown(y, epochs, 2).crossfit()
    assert found == {
        "val_crossfit_f1_macro": pytest.approx(macro_f1(y, argmax, 2), abs=1e-12),
        "val_tuned_crossfit_f1_macro": pytest.approx(macro_f1(y, tuned, 2), abs=1e-12),
        "val_prior_crossfit_f1_macro": pytest.approx(macro_f1(y, by_prior, 2), abs=1e-12),
    }
    assert len(chosen) > 1, "the folds must differ in their best epoch, or nothing is shown"


@pytest.mark.parametrize("classes", [2, 3])
def test_among_epochs_of_one_level_only_the_highest_score_is_flattered(classes):
    """Thirty epochs of pure noise around one level; the truth is what fresh rows score.

    The highest of the thirty lies above it by several points, as does a score at offsets that were
    tuned on the same rows; neither score by cross-fitting does, to three standard errors.
    """
    highest, crossfit, fresh = [], [], []
    for seed in range(40):
        y, rng = labels(240, classes, seed)
        epochs = [scored(y, rng, classes=classes) for _ in range(30)]
        choice = shown(y, epochs, classes)
        logits = choice.logits("tuned")
        offsets = tune_offsets(y, logits)
        tuned = macro_f1(y, decide(logits, offsets), classes)
        highest.append((max(macro_f1(y, one.argmax(1), classes) for one in epochs), tuned))
        crossfit.append(tuple(choice.crossfit().values())[:2])
        y_new, rng = labels(4000, classes, 1000 + seed)
        new = scored(y_new, rng, classes=classes)
        at_offsets = macro_f1(y_new, decide(new, offsets), classes)
        fresh.append((macro_f1(y_new, new.argmax(1), classes), at_offsets))
    flattered, biased = (100 * (np.array(one) - fresh) for one in (highest, crossfit))
    assert (flattered.mean(axis=0) > 3).all()
    assert (biased.mean(axis=0) < 3 * biased.std(axis=0) / np.sqrt(len(biased))).all()


@pytest.mark.parametrize("rows", [3, 4, 7])
def test_a_few_rows_are_enough(rows):
    y, rng = labels(rows)
    choice = shown(y, [scored(y, rng) for _ in range(3)])
    assert all(0 <= value <= 1 for value in choice.crossfit().values())


# --- an interrupted training ----------------------------------------------------------------------
def all_of(choice):
    kept = [choice.logits(decision).tobytes() for decision in OWN_EPOCH]
    return [choice.epoch(decision) for decision in OWN_EPOCH], kept, choice.crossfit()


def test_a_choice_goes_on_from_its_state_as_if_nothing_had_been():
    y, rng = labels()
    epochs = [scored(y, rng) for _ in range(8)]
    before, after = shown(y, epochs[:5]), EpochChoice(y, prior())
    assert after.restore(before.state())
    for epoch in range(5, 8):
        assert before.add(epoch, epochs[epoch]) == after.add(epoch, epochs[epoch])
    assert all_of(after) == all_of(before)


def test_the_state_of_another_split_is_refused():
    y, rng = labels()
    choice = EpochChoice(y[:200], prior())
    assert not choice.restore(shown(y, [scored(y, rng)]).state())
    assert not choice.restore({})
    choice.add(0, scored(y[:200], rng))
