"""The same config gives the same bits, whatever ran before in the process."""

import numpy as np
import pytest

from src.engine.build import build, data_arguments
from tests.engine.by_fit import bits

LOSSES = ("ce", "focal", "weighted_ce", "ldam", "asymmetric")
"""One of each kind; `tests/reliability/test_reproduce.py` trains all of them."""
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


def test_the_same_run_after_many_other_runs_is_the_same_to_the_bit(fitted, first, one_of_each_loss):
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


@pytest.mark.parametrize(
    ("words", "same"),
    [
        (("loss=focal", "loss.gamma=0", "loss.alpha=null"), "ce"),
        (("loss=focal_by_class", "loss.gamma=0"), "weighted_ce"),
    ],
)
def test_focal_losses_without_gamma_are_cross_entropies(job, words, same):
    y = np.arange(40) % 2
    logits = np.random.default_rng(0).normal(size=(40, 2)).astype("float32")
    configs = [job(*words), job(f"loss={same}")]
    focal, plain = (
        build(config["loss"]["fn"], "loss.fn", data_arguments(dataset))(y, logits)
        for config, dataset in configs
    )
    assert float(focal) == pytest.approx(float(plain), rel=1e-6)


def test_the_imbalance_metric_reports_validation_and_training(one_of_each_loss):
    (row,) = one_of_each_loss["ce"].history
    for score in ("balanced_accuracy", "recall", "f1_macro"):
        names = {name for name in row if score in name}
        assert {name.startswith("val_") for name in names} == {True, False}, score


def test_metrics_do_not_change_training(fitted, one_of_each_loss):
    plain = fitted("loss=ce", "metric=f1_macro", "training.epochs=1")
    with_all = one_of_each_loss["ce"]
    assert bits(plain)[:4] == bits(with_all)[:4]
    assert plain.history[0]["val_f1_macro"] == with_all.history[0]["val_f1_macro"]
