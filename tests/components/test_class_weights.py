"""Deferred re-weighting against a loop by hand: weights come in after a share of the epochs."""

import keras
import numpy as np
import pytest

from src.components import DeferredReweighting, LDAMLoss, ReweightingSchedule

COUNTS, EPOCHS, RATE, SCALE = [24, 12, 4], 5, 0.5, 3.0
Y = np.repeat(np.arange(3), COUNTS)[np.random.default_rng(1).permutation(40)]
X = np.random.default_rng(0).normal(size=(40, 4)).astype("float32") + np.eye(3, 4)[Y]
VALIDATION = X[:15] + 0.3, Y[:15]
BETA = 0.99


def weights_of_the_paper():
    """(1 - beta) / (1 - beta^n), brought to sum to K."""
    weights = (1 - BETA) / (1 - BETA ** np.array(COUNTS, float))
    return weights / weights.sum() * 3


def ldam(kernel, x, y):
    """The loss of each row and its gradient by the logits."""
    margins = np.array(COUNTS, float) ** -0.25
    margins *= 0.5 / margins.max()
    target = np.eye(3)[y]
    scores = SCALE * (x @ kernel - target * margins)
    p = np.exp(scores - scores.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    return -np.log((p * target).sum(1)), SCALE * (p - target)


def by_hand(kernel, first_weighted):
    """Kernel after each epoch of gradient descent, and the weighted validation loss there."""
    weights, kernels, losses = weights_of_the_paper(), [], []
    for epoch in range(EPOCHS):
        for start in range(0, 40, 10):
            x, y = X[start : start + 10], Y[start : start + 10]
            weight = weights[y] if epoch >= first_weighted else np.ones(10)
            kernel = kernel - RATE * x.T @ (weight[:, None] * ldam(kernel, x, y)[1]) / 10
        kernels.append(kernel)
        x, y = VALIDATION
        losses.append((weights[y] * ldam(kernel, x, y)[0]).mean())
    return kernels, losses


def network(kernel, defer):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, use_bias=False)])
    loss = DeferredReweighting(LDAMLoss(COUNTS, scale=SCALE), COUNTS, beta=BETA, defer=defer)
    model.compile(keras.optimizers.SGD(RATE), loss)
    model.set_weights([kernel])
    return model


def fit(model, first=0, callbacks=(ReweightingSchedule,)):
    return model.fit(
        X, Y, epochs=EPOCHS, initial_epoch=first, batch_size=10, shuffle=False, verbose=0,
        validation_data=VALIDATION, callbacks=[make() for make in callbacks],
    ).history  # fmt: skip


@pytest.mark.parametrize(("defer", "first_weighted"), [(0.0, 0), (0.99, 4)])
def test_training_is_that_of_a_loop_by_hand_from_the_first_epoch_or_a_later_one(
    defer, first_weighted
):
    start = np.random.default_rng(2).normal(scale=0.1, size=(4, 3))
    kernels, losses = by_hand(start, first_weighted)
    another = by_hand(start, 2)[0][-1]
    assert not np.allclose(kernels[-1], another, atol=0.01), "else it shows nothing"
    model = network(start, defer)
    assert fit(model)["val_loss"] == pytest.approx(losses, rel=1e-4)
    np.testing.assert_allclose(model.get_weights()[0], kernels[-1], atol=1e-4)
    again = network(kernels[1], defer)
    fit(again, first=2)
    np.testing.assert_allclose(again.get_weights()[0], kernels[-1], atol=1e-4)


def test_without_a_schedule_and_when_loaded_classes_have_their_weights(tmp_path):
    start = np.zeros((4, 3))
    model = network(start, defer=0.8)
    fit(model, callbacks=())
    np.testing.assert_allclose(model.get_weights()[0], by_hand(start, 0)[0][-1], atol=1e-4)
    fit(model)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    kernel, (x, y) = loaded.get_weights()[0], VALIDATION
    expected = (weights_of_the_paper()[y] * ldam(kernel, x, y)[0]).mean()
    assert loaded.evaluate(x, y, verbose=0) == pytest.approx(expected, rel=1e-5)
    assert model.evaluate(x, y, verbose=0) == pytest.approx(expected, rel=1e-5)


def test_a_schedule_for_another_loss_is_refused():
    model = network(np.zeros((4, 3)), defer=0.8)
    model.compile("sgd", LDAMLoss(COUNTS))
    with pytest.raises(ValueError, match=r"must be a DeferredReweighting.*LDAMLoss"):
        fit(model)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"loss": "ldam"}, "`loss` must be a keras.losses.Loss. Got 'ldam'"),
        ({"defer": 1.0}, "`defer`.*1.0"),
        ({"beta": 1}, "`beta`.*1"),
        ({"class_counts": [4, 0]}, "`class_counts`"),
    ],
)
def test_the_constructor_names_the_argument_and_the_bad_value(arguments, message):
    with pytest.raises(ValueError, match=message):
        DeferredReweighting(**{"loss": LDAMLoss(COUNTS), "class_counts": COUNTS} | arguments)
