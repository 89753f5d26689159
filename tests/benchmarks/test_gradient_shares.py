"""Whose gradient trains the model: pulls against closed forms, shares over a real training."""

import keras
import numpy as np
import pytest
from scipy.special import softmax

from benchmarks.gradient_shares.shares import GROUPS, measure, pulls, table
from src.components import SparseCategoricalFocalLoss
from src.engine.build import load_dataset

EPOCHS = 3


def cross_entropy_slope(p_t):
    return p_t - 1


def focal_slope(p_t):
    """d FL / d z_t = alpha (1 - p_t)^gamma (gamma p_t log p_t + p_t - 1)."""
    return 0.25 * (1 - p_t) ** 2 * (2 * p_t * np.log(p_t) + p_t - 1)


@pytest.mark.parametrize(
    ("loss", "slope"),
    [
        (keras.losses.SparseCategoricalCrossentropy(from_logits=True), cross_entropy_slope),
        (SparseCategoricalFocalLoss(gamma=2.0, alpha=0.25), focal_slope),
    ],
)
def test_a_row_pulls_by_the_derivative_of_the_formula(loss, slope):
    """The derivatives by the other logits sum to minus that by the true class's."""
    rng = np.random.default_rng(0)
    y, logits = rng.integers(3, size=50), rng.normal(0, 3, (50, 3)).astype(np.float32)
    p_t = softmax(logits.astype(np.float64), axis=1)[np.arange(len(y)), y]
    np.testing.assert_allclose(pulls(loss, y, logits), 2 * np.abs(slope(p_t)), atol=1e-6)


@pytest.fixture(scope="module")
def measured(resolved):
    words = (
        "data.n_samples=1000",
        "data.minority_fraction=0.1",
        "training.learning_rate=0.01",
        f"training.epochs={EPOCHS}",
        "training.progress=false",
        "training.threads=1",
    )
    configs = [resolved(*words, f"loss={name}") for name in ("ce", "focal")]
    losses = {config["loss"]["name"]: config["loss"] for config in configs}
    return measure(configs[0], losses, load_dataset(configs[0]["data"]))


def test_every_epoch_of_every_loss_is_measured_and_the_groups_are_all_rows(measured):
    found, rows = measured
    assert [(one.loss, one.epoch) for one in found] == [
        (loss, epoch) for loss in ("ce", "focal") for epoch in range(EPOCHS + 1)
    ]
    assert sum(rows.values()) == pytest.approx(1)
    assert rows["minority"] == pytest.approx(0.1, abs=0.01)
    for one in found:
        assert set(one.shares) == set(GROUPS)
        assert sum(one.shares.values()) == pytest.approx(1)


def test_the_focal_loss_leaves_less_to_the_easy_rows_once_they_are_learnt(measured):
    found, _ = measured
    easy = {(one.loss, one.epoch): one.shares["easy majority"] for one in found}
    assert 0 < easy["focal", EPOCHS] < easy["ce", EPOCHS]


def test_the_table_shows_the_epochs_asked_for(measured):
    lines = table(*measured, epochs=[0, EPOCHS]).splitlines()
    assert len(lines) == 3 + 4
    assert [line.split("|")[2].strip() for line in lines[3:]] == ["0", "3", "0", "3"]
    assert len({line.count("|") for line in lines}) == 1
