"""Focal loss: its values and gradients against Keras's losses, closed forms and differences."""

import math
from functools import partial

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from src.components import (
    BinaryFocalLoss,
    SparseCategoricalFocalLoss,
    binary_focal_loss,
    sparse_categorical_focal_loss,
)

bounded = settings(max_examples=25, deadline=None, derandomize=True)
gammas = st.sampled_from([0.0, 0.3, 0.5, 1.0, 2.0, 5.0])


def value_and_gradient(loss, y_true, y_pred):
    y_pred = tf.convert_to_tensor(y_pred)
    with tf.GradientTape() as tape:
        tape.watch(y_pred)
        value = loss(y_true, y_pred)
    return value.numpy(), tape.gradient(value, y_pred).numpy()


def scores(seed, batch=16, classes=5, spread=2.0):
    rng = np.random.default_rng(seed)
    logits = rng.normal(scale=spread, size=(batch, classes))
    return rng.integers(0, classes, batch), logits


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


@bounded
@given(seed=st.integers(0, 1000), gamma=gammas, weighted=st.booleans())
def test_focal_loss_is_its_formula(seed, gamma, weighted):
    y, x = scores(seed)
    alpha = np.linspace(0.1, 2.0, 5) if weighted else 0.25
    p = softmax(x)[np.arange(16), y]
    expected = -(alpha[y] if weighted else alpha) * (1 - p) ** gamma * np.log(p)
    actual = sparse_categorical_focal_loss(y, x, gamma=gamma, alpha=alpha)
    np.testing.assert_allclose(actual, expected, rtol=1e-9)


def assert_same(ours, theirs, y, labels, x, *, value=1e-6, gradient=1e-5, atol=1e-9):
    """Values and gradients agree within these tolerances; `labels` are in the form of `theirs`."""
    (one, one_gradient), (two, two_gradient) = (
        value_and_gradient(loss, true, x) for loss, true in ((ours, y), (theirs, labels))
    )
    np.testing.assert_allclose(one, two, rtol=value)
    np.testing.assert_allclose(one_gradient, two_gradient, rtol=gradient, atol=atol)


@bounded
@given(seed=st.integers(0, 1000), gamma=gammas, from_logits=st.booleans())
def test_focal_loss_is_that_of_keras_and_crossentropy_at_gamma_0(seed, gamma, from_logits):
    y, x = scores(seed)
    x = x if from_logits else softmax(x)
    options = {"from_logits": from_logits, "dtype": "float64"}
    theirs = keras.losses.CategoricalFocalCrossentropy(alpha=0.3, gamma=gamma, **options)
    assert_same(SparseCategoricalFocalLoss(gamma, 0.3, **options), theirs, y, np.eye(5)[y], x)
    theirs = keras.losses.SparseCategoricalCrossentropy(**options)
    assert_same(SparseCategoricalFocalLoss(0.0, 1.0, **options), theirs, y, y, x)


@bounded
@given(seed=st.integers(0, 1000), gamma=gammas, from_logits=st.booleans())
def test_binary_focal_loss_is_that_of_keras(seed, gamma, from_logits):
    y, x = scores(seed, classes=2)
    x = x[:, :1] if from_logits else 1 / (1 + np.exp(-x[:, :1]))
    options = {"from_logits": from_logits, "dtype": "float64"}
    theirs = keras.losses.BinaryFocalCrossentropy(True, 0.3, gamma, **options)
    ours = BinaryFocalLoss(gamma, (0.7, 0.3), **options)
    assert_same(ours, theirs, y, y[:, None], x, value=1e-5, gradient=1e-4, atol=1e-7)


def test_two_class_softmax_and_sigmoid_forms_agree():
    y, x = scores(2, classes=2)
    two = sparse_categorical_focal_loss(y, x, gamma=1.5, alpha=[0.4, 0.6])
    one = binary_focal_loss(y, x[:, 1] - x[:, 0], gamma=1.5, alpha=[0.4, 0.6])
    np.testing.assert_allclose(two, one, rtol=1e-10)


def test_scalar_alpha_multiplies_every_class_alike():
    y, x = np.array([0, 1]), np.array([-0.3, 0.8])
    ratio = binary_focal_loss(y, x, alpha=0.25) / binary_focal_loss(y, x, alpha=None)
    np.testing.assert_allclose(ratio, [0.25, 0.25])


@pytest.mark.parametrize("compiled", [False, True])
def test_second_derivatives_equal_finite_differences_of_the_first(compiled):
    y, x = scores(4, batch=3, classes=4)

    def gradient(logits):
        with tf.GradientTape() as tape:
            tape.watch(logits)
            loss = tf.reduce_sum(sparse_categorical_focal_loss(y, logits, gamma=1.5))
        return tape.gradient(loss, logits)

    def hessian(logits):
        with tf.GradientTape() as tape:
            tape.watch(logits)
            first = gradient(logits)
        return tape.jacobian(first, logits)

    found = (tf.function(hessian) if compiled else hessian)(tf.constant(x)).numpy()
    for place in np.ndindex(x.shape):
        moved = np.zeros_like(x)
        moved[place] = 1e-6
        expected = (gradient(tf.constant(x + moved)) - gradient(tf.constant(x - moved))) / 2e-6
        np.testing.assert_allclose(found[(..., *place)], expected, atol=1e-8)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("gamma", [0.0, 0.1, 2.0])
def test_the_binary_loss_and_its_gradient_are_finite_for_extreme_logits(dtype, gamma):
    x = tf.cast([-1e4, -1e4, 0.0, 1e4, 1e4], dtype)
    loss = partial(binary_focal_loss, gamma=gamma)
    for values in value_and_gradient(loss, [0, 1, 0, 0, 1], x):
        assert np.isfinite(values.astype("float64")).all()


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_certain_and_wrong_probabilities_give_finite_values_and_gradients(gamma):
    p = np.array([[1.0, 0.0], [0.0, 1.0]], "float32")
    for y in ([0, 1], [1, 0]):
        value, gradient = value_and_gradient(
            lambda y, p: sparse_categorical_focal_loss(y, p, gamma, from_logits=False), y, p
        )
        assert np.isfinite(value).all()
        assert np.isfinite(gradient).all()


def test_a_wrong_answer_of_10000_costs_its_logit_and_pulls_with_gradient_one():
    value, gradient = value_and_gradient(
        lambda y, x: sparse_categorical_focal_loss(y, x, gamma=0.5, alpha=1.0),
        [0],
        np.array([[-1e4, 0.0]], "float32"),
    )
    np.testing.assert_allclose(value, [1e4])
    np.testing.assert_allclose(gradient, [[-1.0, 1.0]])


def test_small_losses_keep_their_digits_in_float32():
    # 1 - p_t is about e^-18 here, below float32's spacing at 1: a subtraction would give 0.
    value = sparse_categorical_focal_loss([0], tf.constant([[18.0, 0.0]]), gamma=0.5, alpha=1.0)
    assert float(value[0]) == pytest.approx(math.exp(-18) ** 1.5, rel=1e-5)


@pytest.mark.parametrize("labels", [[0, 2], [[0], [2]], [0.0, 2.0], np.array([0, 2], "uint8")])
def test_labels_may_be_flat_or_a_column_of_any_dtype(labels):
    x = np.array([[1.0, 2.0, 3.0], [0.5, 0.0, -1.0]])
    expected = sparse_categorical_focal_loss(np.array([0, 2]), x)
    actual = sparse_categorical_focal_loss(labels, x)
    assert actual.shape == (2,)
    np.testing.assert_array_equal(actual, expected)


def test_positions_of_an_example_keep_their_shape():
    y, x = scores(1, batch=12, classes=4)
    flat = sparse_categorical_focal_loss(y, x, alpha=[1.0, 2.0, 3.0, 4.0])
    shaped = sparse_categorical_focal_loss(
        y.reshape(3, 4), x.reshape(3, 4, 4), alpha=[1.0, 2.0, 3.0, 4.0]
    )
    np.testing.assert_array_equal(np.reshape(flat, (3, 4)), shaped)
    probabilities = sparse_categorical_focal_loss(
        y.reshape(3, 4, 1), softmax(x).reshape(3, 4, 4), alpha=[1, 2, 3, 4], from_logits=False
    )
    np.testing.assert_allclose(probabilities, shaped, rtol=1e-6)


@pytest.mark.parametrize("pred_shape", [(4,), (4, 1)])
@pytest.mark.parametrize("true_shape", [(4,), (4, 1)])
def test_binary_loss_gives_one_value_per_example_for_flat_and_column_shapes(pred_shape, true_shape):
    y, x = np.array([0, 1, 1, 0]), np.array([0.1, -2.0, 3.0, 0.5])
    actual = binary_focal_loss(y.reshape(true_shape), x.reshape(pred_shape), gamma=1.0, alpha=1.0)
    p = np.where(y == 1, 1 / (1 + np.exp(-x)), 1 / (1 + np.exp(x)))
    np.testing.assert_allclose(actual, -(1 - p) * np.log(p), rtol=1e-12)


@pytest.mark.parametrize("jit", [False, True])
def test_a_target_that_is_neither_makes_its_own_loss_nan_and_no_other(jit):
    run = tf.function(binary_focal_loss, jit_compile=jit)
    assert np.isnan(run(tf.constant([0.0, 0.5, 1.0]), tf.zeros(3))).tolist() == [False, True, False]


@pytest.mark.parametrize(
    ("loss", "y_true", "y_pred", "message"),
    [
        (SparseCategoricalFocalLoss(), (3, 3), (3, 3), r"one-hot labels: take their argmax"),
        (SparseCategoricalFocalLoss(), (3,), (3, 1), "binary loss"),
        (SparseCategoricalFocalLoss(), (3,), (3,), "K >= 2"),
        (SparseCategoricalFocalLoss(), (4,), (3, 2), r"shape \(3,\)"),
        (SparseCategoricalFocalLoss(), (3, 2, 2), (3, 2), "integer classes"),
        (SparseCategoricalFocalLoss(alpha=[1.0, 2.0]), (4,), (4, 3), "`alpha` has 2 .* 3 classes"),
        (BinaryFocalLoss(), (3,), (3, 2), r"shape of y_pred, \(3, 2\)"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(loss, y_true, y_pred, message):
    with pytest.raises(ValueError, match=message):
        loss.call(np.zeros(y_true), np.zeros(y_pred))


def test_the_binary_loss_takes_one_alpha_or_two():
    with pytest.raises(ValueError, match="one number or two"):
        BinaryFocalLoss(alpha=[1.0, 2.0, 3.0])


@pytest.mark.parametrize("loss", [SparseCategoricalFocalLoss, BinaryFocalLoss])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"gamma": -1}, "`gamma`.*Got -1"),
        ({"gamma": math.inf}, "`gamma`.*Got inf"),
        ({"gamma": math.nan}, "`gamma`.*Got nan"),
        ({"gamma": True}, "`gamma`.*Got True"),
        ({"gamma": "2"}, "`gamma`.*Got '2'"),
        ({"alpha": 0}, "`alpha`.*Got 0"),
        ({"alpha": "ab"}, "`alpha`.*Got 'ab'"),
        ({"alpha": [0.5, -1]}, "`alpha`.*Got .0.5, -1"),
        ({"alpha": [1.0]}, "at least two classes"),
        ({"alpha": {1: 0.75, 2: 0.25}}, "`alpha` must be a list in the order of the classes"),
    ],
)
def test_constructors_name_the_argument_and_the_bad_value(loss, arguments, message):
    with pytest.raises(ValueError, match=message):
        loss(**arguments)
