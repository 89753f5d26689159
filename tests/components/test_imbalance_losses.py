"""What every loss holds to, and those for imbalance against their papers' formulas in numpy."""

import itertools
import math
from functools import partial

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf
from sklearn.utils.class_weight import compute_class_weight

from src.components import (
    AsymmetricLoss,
    ClassBalancedFocalLoss,
    ClassWeightedCrossentropy,
    DeferredReweighting,
    GeneralizedCrossentropy,
    LabelSmoothingCrossentropy,
    LDAMLoss,
    LogitAdjustedCrossentropy,
    PolyCrossentropy,
    SoftMacroF1Loss,
    SparseCategoricalFocalLoss,
)

bounded = settings(max_examples=20, deadline=None, derandomize=True)
COUNTS = [900, 90, 10]
ALL = [
    ClassWeightedCrossentropy(class_counts=COUNTS),
    ClassWeightedCrossentropy(weights=[1.0, 2.0, 3.0]),
    ClassBalancedFocalLoss(COUNTS, beta=0.99, gamma=0.5),
    LogitAdjustedCrossentropy(COUNTS, tau=1.5),
    LDAMLoss(COUNTS),
    AsymmetricLoss(gamma_pos=0.5, gamma_neg=0.5),
    AsymmetricLoss(margin=0.0),
    SparseCategoricalFocalLoss(0.0, [1.0, 2.0, 3.0]),
    SparseCategoricalFocalLoss(0.1),
    SparseCategoricalFocalLoss(2.0, None),
    PolyCrossentropy(epsilon=-1),
    GeneralizedCrossentropy(),
    LabelSmoothingCrossentropy(),
    SoftMacroF1Loss(),
    partial(DeferredReweighting, LDAMLoss(COUNTS, scale=1.0), COUNTS, beta=0.99),  # has a variable
]
NAMED = {f"{getattr(one, 'name', 'deferred')}_{index}": one for index, one in enumerate(ALL)}


@pytest.fixture(scope="module")
def all_losses():
    return {name: one() if isinstance(one, partial) else one for name, one in NAMED.items()}


@pytest.fixture(params=NAMED)
def loss(request, all_losses):
    return all_losses[request.param]


def scores(seed, spread=2.0):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 3, 12), rng.normal(scale=spread, size=(12, 3))


def log_softmax(x):
    x = x - x.max(-1, keepdims=True)
    return x - np.log(np.exp(x).sum(-1, keepdims=True))


def true_class(values, y):
    return values[np.arange(len(y)), y]


@bounded
@given(seed=st.integers(0, 1000))
def test_class_weights_are_those_of_scikit_learn(seed):
    y, x = scores(seed)
    labels = np.repeat(np.arange(3), COUNTS)
    balanced = compute_class_weight("balanced", classes=np.arange(3), y=labels)
    loss = ClassWeightedCrossentropy(class_counts=COUNTS)
    np.testing.assert_allclose(loss.class_weights, balanced)
    expected = -balanced[y] * true_class(log_softmax(x), y)
    np.testing.assert_allclose(loss.call(y, x), expected, rtol=1e-9)
    weighted = ClassWeightedCrossentropy(weights=balanced)
    np.testing.assert_allclose(weighted.call(y, x), expected, rtol=1e-9)


@bounded
@given(seed=st.integers(0, 1000), beta=st.sampled_from([0.0, 0.9, 0.999, 0.9999]))
def test_class_balanced_weights_are_inverse_effective_numbers(seed, beta):
    y, x = scores(seed)
    effective = (1 - beta ** np.array(COUNTS)) / (1 - beta)
    weights = 3 / effective / (1 / effective).sum()
    log_p = true_class(log_softmax(x), y)
    expected = -weights[y] * (1 - np.exp(log_p)) ** 2 * log_p
    np.testing.assert_allclose(
        ClassBalancedFocalLoss(COUNTS, beta, gamma=2.0).call(y, x), expected, rtol=1e-7
    )
    assert weights.sum() == pytest.approx(3)


def test_class_balanced_weights_near_beta_1_are_inverse_frequencies():
    weights = np.array(ClassBalancedFocalLoss(COUNTS, beta=1 - 1e-12).class_weights)
    np.testing.assert_allclose(weights * COUNTS, weights[0] * COUNTS[0], rtol=1e-8)


@bounded
@given(seed=st.integers(0, 1000), tau=st.sampled_from([0.0, 0.5, 1.0, 2.0]))
def test_logit_adjustment_adds_the_log_prior(seed, tau):
    y, x = scores(seed)
    prior = np.array(COUNTS) / 1000
    expected = -true_class(log_softmax(x + tau * np.log(prior)), y)
    actual = LogitAdjustedCrossentropy(COUNTS, tau=tau).call(y, x)
    np.testing.assert_allclose(actual, expected, rtol=1e-9)


@bounded
@given(seed=st.integers(0, 1000), scale=st.sampled_from([1.0, 10.0, 30.0]))
def test_ldam_subtracts_a_margin_from_the_true_class_only(seed, scale):
    y, x = scores(seed, spread=0.5)
    margins = np.array(COUNTS) ** -0.25
    margins *= 0.5 / margins.max()
    shifted = x.copy()
    shifted[np.arange(12), y] -= margins[y]
    expected = -true_class(log_softmax(scale * shifted), y)
    actual = LDAMLoss(COUNTS, max_margin=0.5, scale=scale).call(y, x)
    np.testing.assert_allclose(actual, expected, rtol=1e-8, atol=1e-12)


@bounded
@given(
    seed=st.integers(0, 1000),
    gamma_pos=st.sampled_from([0.0, 1.0]),
    gamma_neg=st.sampled_from([0.0, 0.5, 4.0]),
    margin=st.sampled_from([0.0, 0.05, 0.3]),
)
def test_asymmetric_loss_is_one_class_against_the_rest(seed, gamma_pos, gamma_neg, margin):
    y, x = scores(seed)
    p = 1 / (1 + np.exp(-x))
    shifted = np.maximum(p - margin, 0)
    positive = -((1 - p) ** gamma_pos) * np.log(p)
    negative = -(shifted**gamma_neg) * np.log(1 - shifted)
    expected = np.where(np.eye(3)[y] == 1, positive, negative).sum(-1)
    actual = AsymmetricLoss(gamma_pos, gamma_neg, margin).call(y, x)
    np.testing.assert_allclose(actual, expected, rtol=1e-7, atol=1e-12)


def test_asymmetric_loss_without_focus_and_margin_is_binary_crossentropy_summed():
    y, x = scores(3)
    theirs = keras.losses.BinaryCrossentropy(from_logits=True, reduction="none", dtype="float64")
    actual = AsymmetricLoss(0.0, 0.0, 0.0).call(y, x)
    np.testing.assert_allclose(actual, 3 * theirs(np.eye(3)[y], x), rtol=1e-9)


@pytest.mark.parametrize("jit", [False, True])
def test_every_loss_is_finite_for_extreme_logits(all_losses, jit):
    """In each dtype, all in one graph: tracing and compiling take the time."""
    edge = math.log(0.05 / 0.95)  # where a sigmoid meets the asymmetric loss's margin
    rows = list(itertools.product([-1e4, edge, 0.0, 1e4], repeat=3))
    y = tf.range(len(rows)) % 3
    logits = [
        tf.cast(tf.constant(rows), dtype) for dtype in ("float16", "bfloat16", "float32", "float64")
    ]

    @tf.function(jit_compile=jit)
    def values_and_gradients(logits):
        found = {}
        for name, loss in all_losses.items():
            with tf.GradientTape() as tape:
                tape.watch(logits)
                values = [loss.call(y, x) for x in logits]
            found[name] = values, tape.gradient(values, logits)
        return found

    for name, both in values_and_gradients(logits).items():
        for tensors in both:
            for x, tensor in zip(logits, tensors, strict=True):
                assert np.isfinite(tf.cast(tensor, "float32").numpy()).all(), (name, x.dtype)


def test_every_loss_gives_one_value_per_example_and_takes_label_columns(loss):
    y, x = scores(1)
    assert loss.call(y, x).shape == (12,)
    np.testing.assert_array_equal(loss.call(y[:, None], x), loss.call(y, x))


@pytest.mark.parametrize("jit", [False, True])
def test_every_loss_is_nan_for_a_label_that_is_no_class(all_losses, jit):
    @tf.function(jit_compile=jit)
    def values(labels, logits):
        return {name: loss.call(labels, logits) for name, loss in all_losses.items()}

    labels = [0, 3, -1, 0.7, 1 / 255, 2**32, math.nan, 2.0]
    expected = [False, True, True, True, True, True, True, False]
    for name, found in values(tf.constant(labels), tf.zeros((8, 3))).items():
        assert np.isnan(found).tolist() == expected, name


def test_every_gradient_equals_finite_differences(loss):
    y, x = scores(9)
    tensor = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(tensor)
        total = tf.reduce_sum(loss.call(y, tensor))
    gradient = tape.gradient(total, tensor).numpy()
    for i, j in itertools.product(range(4), range(3)):
        step = np.zeros_like(x)
        step[i, j] = 1e-6
        above, below = (float(tf.reduce_sum(loss.call(y, z))) for z in (x + step, x - step))
        assert gradient[i, j] == pytest.approx((above - below) / 2e-6, rel=1e-4, abs=1e-6)


def hyperparameters(loss):
    """Public attributes that hold a float or a list of floats."""
    return {
        name: value
        for name, value in vars(loss).items()
        if isinstance(value, float) or (isinstance(value, list) and isinstance(value[0], float))
    }


@pytest.fixture
def as_written():
    """Graphs as a run has them: not optimised, which would fold numbers and not variables."""
    before = tf.config.optimizer.get_experimental_options()
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    yield
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": False} | before)


@pytest.mark.usefixtures("as_written")
def test_a_variable_may_stand_in_the_place_of_every_hyperparameter(loss):
    y, x = scores(4)
    y, x = tf.constant(y), tf.cast(x, "float32")

    def both(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = loss(y, x)
        return value, tape.gradient(value, x)

    expected = tf.function(both)(x)
    own = hyperparameters(loss)
    try:
        vars(loss).update({name: tf.Variable(value) for name, value in own.items()})
        traced = tf.function(both).get_concrete_function(x)
    finally:
        vars(loss).update(own)
    for actual, other in zip(traced(x), expected, strict=True):
        np.testing.assert_array_equal(actual, other)


def test_counts_of_another_number_of_classes_are_refused():
    with pytest.raises(ValueError, match="`class_counts` has 3 entries and y_pred has 4 classes"):
        LDAMLoss(COUNTS)(np.zeros(2), np.zeros((2, 4)))
    with pytest.raises(ValueError, match="`weights` has 2 entries and y_pred has 3 classes"):
        ClassWeightedCrossentropy(weights=[1, 2])(np.zeros(2), np.zeros((2, 3)))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (ClassWeightedCrossentropy, "exactly one of"),
        (lambda: ClassWeightedCrossentropy([1, 2], weights=[1, 2]), "exactly one of"),
        (lambda: ClassWeightedCrossentropy(weights=[1, 0]), "`weights`"),
        (lambda: LDAMLoss([5, 0]), r"`class_counts`.*\[5, 0\]"),
        (lambda: LDAMLoss([5]), "at least two"),
        (lambda: LDAMLoss([5, 1.5]), "whole number"),
        (lambda: LDAMLoss([5, 1], max_margin=-1), "`max_margin`.*-1"),
        (lambda: LDAMLoss([5, 1], scale=0), "`scale`.*0"),
        (lambda: LogitAdjustedCrossentropy([5, 1], tau=math.nan), "`tau`.*nan"),
        (lambda: ClassBalancedFocalLoss([5, 1], beta=1.0), "`beta`.*1.0"),
        (lambda: ClassBalancedFocalLoss([5, 1], gamma=-2), "`gamma`.*-2"),
        (lambda: AsymmetricLoss(gamma_neg=-1), "`gamma_neg`.*-1"),
        (lambda: AsymmetricLoss(gamma_pos=math.inf), "`gamma_pos`.*inf"),
        (lambda: AsymmetricLoss(margin=1), "`margin`.*1"),
        (lambda: LDAMLoss({0: 5, 1: 1}), "`class_counts` must be a list in the order"),
        (lambda: LDAMLoss(OmegaConf.create({"0": 5, "1": 1})), "`class_counts` must be a list"),
        (lambda: ClassWeightedCrossentropy(weights={1: 2.0, 3: 1.0}), "`weights` must be a list"),
        (lambda: ClassWeightedCrossentropy(weights={1.0, 2.0}), "a mapping or a set"),
    ],
)
def test_constructors_name_the_argument_and_the_bad_value(make, message):
    with pytest.raises(ValueError, match=message):
        make()
