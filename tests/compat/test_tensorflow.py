"""Each entry is still needed, and does what it is there for."""

import gc
import weakref

import tensorflow as tf

from src.compat.tensorflow import release_gradients


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
