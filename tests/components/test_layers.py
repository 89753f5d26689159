"""L2Normalize and CosineDense, against numpy and finite differences."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from src.components import CosineDense, L2Normalize, l2_normalize

bounded = settings(max_examples=25, deadline=None, derandomize=True)


@bounded
@given(seed=st.integers(0, 1000), axis=st.sampled_from([-1, 1, 2, (1, 2), [-1, -2]]))
def test_vectors_come_out_with_norm_one_along_the_axis(seed, axis):
    x = np.random.default_rng(seed).normal(size=(4, 3, 5)).astype("float32")
    axes = tuple(axis) if not isinstance(axis, int) else axis
    expected = x / np.sqrt((x.astype("float64") ** 2).sum(axes, keepdims=True))
    saved = keras.layers.serialize(L2Normalize(axis))
    np.testing.assert_allclose(keras.layers.deserialize(saved)(x), expected, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("magnitude", [1e-37, 1e-30, 1e-3, 1.0, 1e15, 1e30, 1e38])
def test_every_magnitude_of_float32_is_right(magnitude):
    x = np.array([[3.0, -4.0]]) / 4 * magnitude
    np.testing.assert_allclose(L2Normalize()(x.astype("float32")), [[0.6, -0.8]], rtol=1e-5)


def test_vectors_whose_squares_overflow_float16_are_right_in_float16():
    x = tf.constant([[3e4, -4e4], [6e-8, 0.0]], "float16")
    y = L2Normalize(dtype="float16")(x)
    assert y.dtype == "float16"
    np.testing.assert_allclose(y, [[0.6, -0.8], [1.0, 0.0]], rtol=1e-3)


def test_float32_inputs_beyond_float16_survive_mixed_precision(mixed_float16):
    y = L2Normalize()(tf.constant([[3e30, -4e30]]))
    assert y.dtype == "float16"
    np.testing.assert_allclose(y, [[0.6, -0.8]], rtol=1e-3)


def test_the_gradient_is_its_formula_and_that_of_zeros_is_zero():
    random = np.random.default_rng(0)
    x, v = random.normal(size=(5, 3)), random.normal(size=(5, 3))
    x[0] = 0
    tensor = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(tensor)
        y = l2_normalize(tensor)
        total = tf.reduce_sum(y * v)
    gradient = tape.gradient(total, tensor).numpy()
    assert y.numpy()[0].tolist() == gradient[0].tolist() == [0, 0, 0]
    norm = np.linalg.norm(x[1:], axis=1, keepdims=True)
    unit = x[1:] / norm
    expected = (v[1:] - unit * (unit * v[1:]).sum(1, keepdims=True)) / norm
    np.testing.assert_allclose(gradient[1:], expected, rtol=1e-9)


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_compiled_values_and_gradients_are_those_of_eager_mode(jit, dtype):
    x = tf.cast([[3.0, 4.0], [0.0, 0.0], [-0.1, 2.0]], dtype)
    layer = L2Normalize(scale=2.0, dtype=dtype)

    def both(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x)
            total = tf.reduce_sum(y * tf.cast([1.0, 3.0], dtype))
        return y, tape.gradient(total, x)

    for eager, compiled in zip(both(x), tf.function(both, jit_compile=jit)(x), strict=True):
        assert compiled.dtype == dtype
        np.testing.assert_allclose(compiled, eager, rtol=1e-3 if dtype == "float16" else 1e-5)


def test_a_nan_is_not_hidden():
    assert np.isnan(L2Normalize()(tf.constant([[np.nan, 1.0]]))).all()


def test_vectors_up_to_epsilon_count_as_zeros():
    x = tf.constant([[1e-6, -1e-6], [2e-6, 0.0]])
    np.testing.assert_allclose(L2Normalize(epsilon=1e-6)(x), [[0, 0], [1, 0]])


def test_the_scale_is_a_weight_made_in_build_and_learned():
    layer, unscaled, x = L2Normalize(scale=2.5), L2Normalize(), tf.constant([[3.0, 4.0]])
    assert layer.weights == []
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(layer(x))
    (scale,) = layer.trainable_weights
    assert scale.name == "scale"
    np.testing.assert_allclose([total, tape.gradient(total, scale.value)], [3.5, 1.4], rtol=1e-6)
    unscaled(x)
    assert unscaled.weights == []


def test_batch_and_time_may_be_unknown():
    inputs = keras.Input((None, 4))
    outputs = L2Normalize(scale=1.0)(inputs)
    assert outputs.shape == (None, None, 4)
    model = keras.Model(inputs, outputs)
    for batch, time in ((1, 3), (2, 5)):
        norms = np.linalg.norm(model(np.ones((batch, time, 4), "float32")), axis=-1)
        np.testing.assert_allclose(norms, np.ones((batch, time)), rtol=1e-6)
    assert L2Normalize().compute_output_shape((None, None, 4)) == (None, None, 4)


def test_cosine_dense_gives_cosines_whatever_the_lengths_of_its_kernel():
    x = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")
    layer = CosineDense(3)
    first = layer(l2_normalize(x)).numpy()
    kernel = layer.kernel.numpy()
    expected = x @ kernel / np.linalg.norm(x, axis=1)[:, None] / np.linalg.norm(kernel, axis=0)
    np.testing.assert_allclose(first, expected, rtol=1e-4, atol=1e-6)
    layer.kernel.assign(kernel * [1e-10, 1.0, 1e10])
    np.testing.assert_allclose(layer(l2_normalize(x)), first, rtol=1e-5, atol=1e-6)
    assert CosineDense(3).compute_output_shape((None, 7, 4)) == (None, 7, 3)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: L2Normalize(axis="x"), "`axis`.*'x'"),
        (lambda: L2Normalize(axis=()), "`axis`"),
        (lambda: L2Normalize(axis=0)(np.ones((2, 3))), r"`axis`.*Got 0"),
        (lambda: L2Normalize(axis=-2)(np.ones((2, 3))), r"`axis`.*Got -2"),
        (lambda: L2Normalize(axis=2)(np.ones((2, 3))), r"`axis`.*Got 2"),
        (lambda: L2Normalize(axis=(1, -1))(np.ones((2, 3))), r"`axis`.*each once"),
        (lambda: L2Normalize(epsilon=-1), "`epsilon`.*-1"),
        (lambda: L2Normalize(scale=0), "`scale`.*0"),
        (lambda: L2Normalize(scale=np.inf), "`scale`.*inf"),
        (lambda: CosineDense(0), "`units`.*0"),
        (lambda: CosineDense(2.5), "`units`.*2.5"),
    ],
)
def test_bad_arguments_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
