"""Checks of a layer's weights: created in `build`, by `add_weight`, and trained."""

import tensorflow as tf

from src.checks.attributes import held, layers_within
from src.checks.language import say
from src.checks.layers.subject import LayerSubject, has_float_output
from src.checks.registry import DoesNotApply, Fails, Warns, check


@check("layer")
def can_be_called(layer: LayerSubject) -> str:
    """It can be called on a batch."""
    return say("takes {}", layer.require_data().what)


@check("layer")
def defines_call_not_dunder_call(layer: LayerSubject) -> str:
    """The class defines `call` and leaves `__call__` to Keras."""
    own = [c for c in type(layer.make()).__mro__ if not c.__module__.startswith("keras.")]
    for base in own:
        if "__call__" in vars(base):
            raise Fails("{} defines __call__", base.__name__)
    return say("call is defined, __call__ is Keras's")


@check("layer")
def creates_weights_in_build(layer: LayerSubject) -> str:
    """Before the first call there are no weights."""
    made = layer.make()
    if made.weights:
        names = ", ".join(w.name for w in made.weights)
        raise Warns("after __init__ there are weights already: {}", names)
    layer.called(made)
    return say("none before, {} after the first call", len(made.weights))


@check("layer")
def weights_are_made_by_add_weight(layer: LayerSubject) -> str:
    """No weight is a tf.Variable."""
    stray = [
        f"{type(part).__name__}.{name}"
        for part in layers_within(layer.ready)
        for name, value in held(part)
        if isinstance(value, tf.Variable)
    ]
    if stray:
        raise Fails("{}: tf.Variable", ", ".join(stray))
    return say("{} weights, all known to Keras", len(layer.ready.weights))


@check("layer")
def every_weight_gets_a_gradient(layer: LayerSubject) -> str:
    """Every trainable weight has a gradient."""
    made = layer.built()
    if not made.trainable_weights:
        raise DoesNotApply("it has no trainable weights")
    with tf.GradientTape() as tape:
        outputs = layer.called(made, training=True)
        if not has_float_output(outputs):
            raise DoesNotApply("its output is not of floats")
        parts = [tf.reduce_sum(tf.square(part)) for part in tf.nest.flatten(outputs)]
        total = tf.add_n([*parts, *(tf.reduce_sum(loss) for loss in made.losses)])
    values = [weight.value for weight in made.trainable_weights]
    gradients = tape.gradient(total, values)
    names = [w.name for w, g in zip(made.trainable_weights, gradients, strict=True) if g is None]
    if names:
        raise Warns("without a gradient: {}", ", ".join(names))
    return say("all {} have one", len(gradients))
