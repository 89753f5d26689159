"""One training: every model, mixed precision, the best epoch, and configs that do not fit."""

import keras
import numpy as np
import pytest
from scipy.special import softmax
from sklearn.metrics import f1_score, log_loss

from src.engine.build import check_loss
from src.engine.fit import train
from src.engine.sizing import OWN_CORES
from src.errors import UserError
from src.evaluation.decision import decide, tune_offsets
from src.evaluation.scores import score


@pytest.mark.parametrize("model", ["mlp", "cnn", "cosine"])
def test_every_model_learns_digits(job, model):
    config, dataset = job(f"model={model}", "data=digits")
    trained = train(config, dataset, "")
    guessing = score(dataset.y_test, np.zeros_like(trained.test_logits)).values["f1_macro"]
    assert score(dataset.y_test, trained.test_logits).values["f1_macro"] > guessing + 0.2


def test_half_precision_computes_in_float16_and_answers_in_float32(fitted):
    trained = fitted("training.precision=mixed_float16")
    assert {layer.compute_dtype for layer in trained.model.layers} >= {"float16"}
    assert all(weight.dtype == "float32" for weight in trained.model.trainable_weights)
    assert trained.test_logits.dtype == np.float32
    assert np.isfinite(trained.test_logits).all()
    assert all(np.isfinite(row["val_loss"]) for row in trained.history)


def test_the_model_comes_back_at_its_best_epoch(job):
    config, dataset = job("training.epochs=6", "training.learning_rate=0.1")
    trained = train(config, dataset, "")
    by_epoch = [row["val_f1_macro"] for row in trained.history]
    assert trained.best_epoch == int(np.argmax(by_epoch)) + 1
    assert trained.best_epoch < len(by_epoch), "else going back would show nothing"
    oracle = f1_score(dataset.y_val, trained.val_logits.argmax(1), average="macro")
    assert trained.best_value == pytest.approx(oracle, abs=1e-6)


class EveryEpoch(keras.callbacks.Callback):
    """Keeps the weights of each epoch."""

    def __init__(self):
        super().__init__()
        self.weights = []

    def on_epoch_end(self, epoch, logs=None):
        self.weights.append(self.model.get_weights())


def test_each_decision_has_the_weights_of_its_own_best_epoch(job):
    config, dataset = job("training.epochs=6", "data.hard_fraction=0.3")
    every = EveryEpoch()
    trained = train(config, dataset, "", [every])
    for weight, expected in zip(
        trained.model.get_weights(), every.weights[trained.best_epoch - 1], strict=True
    ):
        np.testing.assert_array_equal(weight, expected)
    logits = []
    for weights in every.weights:
        trained.model.set_weights(weights)
        logits.append(trained.model.predict(dataset.x_val, verbose=0))
    offsets = {
        "tuned": [tune_offsets(dataset.y_val, one) for one in logits],
        "prior": [trained.prior] * len(logits),
    }
    for decision, of_epochs in offsets.items():
        said = [decide(*pair) for pair in zip(logits, of_epochs, strict=True)]
        reached = [round(f1_score(dataset.y_val, one, average="macro"), 12) for one in said]
        best, at = int(np.argmax(reached)), trained.own[decision]
        assert at.epoch == best + 1 != trained.best_epoch, "else it would show nothing"
        for weight, expected in zip(at.weights, every.weights[best], strict=True):
            np.testing.assert_array_equal(weight, expected)
        np.testing.assert_allclose(at.val_logits, logits[best], atol=1e-5)
        trained.model.set_weights(at.weights)
        again = trained.model.predict(dataset.x_test, verbose=0)
        np.testing.assert_allclose(at.test_logits, again, atol=1e-5)


def test_the_decision_by_prior_takes_out_the_shares_of_the_rows_trained_on(job):
    config, dataset = job("training.epochs=4", "data.minority_fraction=0.1")
    trained = train(config, dataset, "")
    shares = np.bincount(dataset.y_train) / len(dataset.y_train)
    np.testing.assert_allclose(trained.prior, -np.log(shares))
    said = decide(trained.own["prior"].val_logits, trained.prior)
    assert (said == 1).sum() > (trained.val_logits.argmax(axis=1) == 1).sum()


def test_patience_stops_after_so_many_epochs_without_a_better_one(fitted):
    words = ("training.epochs=30", "training.learning_rate=0.1", "training.patience=2")
    trained = fitted(*words)
    assert len(trained.history) == trained.best_epoch + 2 < 30


def test_the_best_epoch_of_both_decisions_can_be_the_least_loss(job):
    monitor = ("training.monitor=val_log_loss", "training.mode=min")
    config, dataset = job("loss=focal", *monitor, "training.epochs=5")
    trained = train(config, dataset, "")
    losses = [row["val_log_loss"] for row in trained.history]
    assert trained.best_epoch == int(np.argmin(losses)) + 1
    oracle = log_loss(dataset.y_val, softmax(trained.val_logits.astype(float), axis=1))
    assert min(losses) == pytest.approx(oracle, rel=1e-9)
    assert trained.history[-1]["val_loss"] < losses[-1] / 2, "focal loss has a scale of its own"
    for at in trained.own.values():
        assert (at.epoch, at.weights) == (trained.best_epoch, None)
        np.testing.assert_array_equal(at.test_logits, trained.test_logits)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["model=cnn"], r"model.*cnn"),
        (["training.monitor=val_f1"], r"training\.monitor=val_f1: not measured.*val_f1_macro"),
        (["model.num_classes=x"], r"model.*num_classes"),
        (["training.optimizer._target_=keras.optimizers.Adan"], r"training\.optimizer.*Adan"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_what_does_not_fit_is_said(fitted, words, said):
    with pytest.raises(UserError, match=said):
        fitted(*words)


def test_a_number_of_threads_is_warned_of_above_the_cores_and_cannot_change(
    fitted, caplog, monkeypatch
):
    monkeypatch.setenv(OWN_CORES, "2")
    keras.ops.zeros(1) + 1  # an operation has run: from now on the number is fixed
    with pytest.raises(UserError, match=r"training\.threads=3.*fixed"):
        fitted("training.threads=3")
    assert "training.threads=3: more than the 2 core(s)" in caplog.text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["loss=focal", "loss.alpha=[1,2,3]"], r"^loss\.alpha=\[1, 2, 3\].*3 entries.* 2 for"),
        (["loss=focal", "loss.fn.alpha=[1]"], r"^loss\.fn\.alpha=\[1\].*1 entries.* 2 for"),
        (["loss=weighted_ce", "loss.fn.class_counts=[5,4,3]"], r"^loss\.fn\.class_counts.* 2 for"),
    ],
)
def test_a_list_of_the_wrong_length_is_refused_before_training(job, words, said):
    config, dataset = job(*words)
    with pytest.raises(UserError, match=said):
        check_loss(config["loss"], dataset)


def test_a_list_of_the_right_length_trains_with_it(fitted):
    shares = [
        (fitted("loss=focal", f"loss.alpha={alpha}").test_logits.argmax(1) == 1).mean()
        for alpha in ("[0.01,0.99]", "[0.99,0.01]")
    ]
    assert shares[0] > shares[1] + 0.2


def test_a_knob_that_the_loss_does_not_use_may_be_anything(job):
    config, dataset = job("loss.alpha=[1,2,3]")
    check_loss(config["loss"], dataset)
