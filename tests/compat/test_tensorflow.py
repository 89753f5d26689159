"""Each entry is still needed, and does what it is there for."""

import gc
import weakref

import keras
import tensorflow as tf

from src.compat.tensorflow import release_gradients, without_op_determinism


@tf.custom_gradient
def doubled(x):
    return 2 * x, lambda upstream: 2 * upstream


def traced():
    """A weak reference to the graph of a gradient that nobody holds any more."""

    @tf.function
    def gradient(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = doubled(x)
        return tape.gradient(y, x)

    graph = gradient.get_concrete_function(tf.TensorSpec(())).graph
    return weakref.ref(graph)


def test_release_gradients_is_still_needed():
    graph = traced()
    gc.collect()
    assert graph() is not None, "TensorFlow lets go by itself: the entry can go"


def test_release_gradients_frees_the_graph_and_what_is_traced_later_has_its_gradient():
    graph = traced()
    release_gradients()
    gc.collect()
    assert graph() is None
    assert traced()() is not None
    with tf.GradientTape() as tape:
        x = tf.Variable(3.0)
        y = tf.function(doubled)(x)
    assert float(tape.gradient(y, x)) == 2


def compiled_by_xla():
    """Whether Keras leaves a model to XLA, which it does not while op determinism is on."""
    inputs = keras.Input((2,))
    model = keras.Model(inputs, keras.layers.Dense(1)(inputs))
    model.compile("sgd", "mse", jit_compile=True)
    return model.jit_compile


def test_without_op_determinism_is_still_needed():
    assert not hasattr(tf.config.experimental, "disable_op_determinism"), "the entry can go"


def test_without_op_determinism_puts_it_back():
    tf.config.experimental.enable_op_determinism()
    assert not compiled_by_xla()
    with without_op_determinism():
        assert compiled_by_xla()
    assert not compiled_by_xla()
