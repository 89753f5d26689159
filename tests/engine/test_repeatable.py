"""The same config gives the same bits, whatever ran before in the process."""

import numpy as np
import pytest

from tests.engine.by_fit import bits

LOSSES = ("ce", "focal", "weighted_ce", "ldam", "asymmetric")
"""Of each kind one; `tests/reliability/test_reproduce.py` trains all of them."""
MODEL = "model.dropout=0.2"
"""Dropout, so that the random numbers of training count too."""


@pytest.fixture(scope="module")
def first(fitted):
    return fitted(MODEL)


@pytest.fixture(scope="module")
def one_of_each_loss(fitted, first):
    """After the first run, and before it comes again."""
    words = ("metric=imbalance", "training.epochs=1")
    return {loss: fitted(f"loss={loss}", *words) for loss in LOSSES}


def test_the_same_run_again_is_the_same_to_the_bit(fitted, first):
    assert bits(fitted(MODEL)) == bits(first)


def test_so_it_is_after_many_other_runs(fitted, first, one_of_each_loss):
    assert len(one_of_each_loss) == len(LOSSES)
    assert bits(fitted(MODEL)) == bits(first)


def test_several_steps_in_one_execution_train_the_same_weights(fitted, first):
    assert bits(fitted(MODEL, "training.steps_per_execution=8")) == bits(first)


@pytest.mark.parametrize("seed", ["training.seed=1", "data.seed=1"])
def test_another_seed_gives_another_model(fitted, first, seed):
    assert bits(fitted(MODEL, seed)) != bits(first)


@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_trains(one_of_each_loss, loss):
    trained = one_of_each_loss[loss]
    (row,) = trained.history
    assert np.isfinite([row["loss"], row["val_loss"], row["grad_norm"]]).all()
    assert row["grad_norm"] > 0
    assert np.isfinite(trained.test_logits).all()


def test_losses_that_differ_train_different_models(one_of_each_loss):
    """`ldam` and `ce` alike start from the same weights, so only the loss can tell them apart."""
    models = {bits(trained)[0] for trained in one_of_each_loss.values()}
    assert len(models) == len(LOSSES)


def test_focal_loss_without_gamma_and_alpha_is_cross_entropy(fitted, one_of_each_loss):
    focal = fitted("loss=focal", "loss.gamma=0", "loss.alpha=null", "training.epochs=1")
    np.testing.assert_allclose(
        focal.test_logits, one_of_each_loss["ce"].test_logits, rtol=1e-3, atol=1e-4
    )


def test_focal_loss_by_class_without_gamma_is_weighted_cross_entropy(fitted, one_of_each_loss):
    focal = fitted("loss=focal_by_class", "loss.gamma=0", "training.epochs=1")
    np.testing.assert_allclose(
        focal.test_logits, one_of_each_loss["weighted_ce"].test_logits, rtol=1e-3, atol=1e-4
    )


@pytest.mark.parametrize("score", ["balanced_accuracy", "recall", "f1_macro"])
def test_the_imbalance_metric_reports_validation_and_training(one_of_each_loss, score):
    (row,) = one_of_each_loss["ce"].history
    names = {name for name in row if score in name}
    assert any(name.startswith("val_") for name in names)
    assert any(not name.startswith("val_") for name in names)


def test_metrics_do_not_change_training(fitted, one_of_each_loss):
    plain = fitted("loss=ce", "metric=f1_macro", "training.epochs=1")
    with_all = one_of_each_loss["ce"]
    assert bits(plain)[:4] == bits(with_all)[:4]
    assert plain.history[0]["val_f1_macro"] == with_all.history[0]["val_f1_macro"]
