"""Checks of a layer's weights: created in `build`, by `add_weight`, and trained."""

from __future__ import annotations

import tensorflow as tf

from src.checks.attributes import held, layers_within
from src.checks.layers.subject import LayerSubject, has_float_output
from src.checks.registry import DoesNotApply, Fails, Warns, check

_LAYER = """
class Scale(keras.layers.Layer):
    def build(self, input_shape):
        self.scale = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="scale")
    def call(self, inputs):
        return inputs * self.scale
"""


@check("layer", example=_LAYER)
def can_be_called(layer: LayerSubject) -> str:
    """It can be called on a batch.

    Why: What cannot be called on a batch cannot stand in a model.
    Mend: Call super().__init__(**kwargs) first, create weights in build, compute in call.
    """
    layer.require_data()
    return f"takes {layer.data.what}"


@check("layer", example=_LAYER)
def defines_call_not_dunder_call(layer: LayerSubject) -> str:
    """The class defines `call` and leaves `__call__` to Keras.

    Why: Keras wraps call in __call__, which builds the layer, hands on training and masks, casts to
    the dtype policy and records symbolic inputs.
    Mend: Rename __call__ to call.
    """
    own = [c for c in type(layer.make()).__mro__ if not c.__module__.startswith("keras.")]
    for base in own:
        if "__call__" in vars(base):
            raise Fails(f"{base.__name__} defines __call__")
    return "call is defined, __call__ is Keras's"


@check("layer", example=_LAYER)
def creates_weights_in_build(layer: LayerSubject) -> str:
    """Before the first call there are no weights.

    Why: In __init__ the input's shape is not known yet: it has to be typed in as an argument, and
    the layer fits that one shape only.
    Mend: Move add_weight to build(self, input_shape).
    """
    made = layer.make()
    if made.weights:
        names = ", ".join(w.name for w in made.weights)
        raise Warns(f"after __init__ there are weights already: {names}")
    layer.called(made)
    return f"none before, {len(made.weights)} after the first call"


@check("layer", example=_LAYER)
def weights_are_made_by_add_weight(layer: LayerSubject) -> str:
    """No weight is a tf.Variable.

    Why: Keras does not know of a tf.Variable: it is not trained, not saved, not counted by
    summary().
    Mend: Create it with self.add_weight(shape=..., initializer=..., name=...).
    """
    stray = [
        f"{type(part).__name__}.{name}"
        for part in layers_within(layer.ready)
        for name, value in held(part)
        if isinstance(value, tf.Variable)
    ]
    if stray:
        raise Fails(f"{', '.join(stray)}: tf.Variable")
    return f"{len(layer.ready.weights)} weights, all known to Keras"


@check("layer")
def every_weight_gets_a_gradient(layer: LayerSubject) -> str:
    """Every trainable weight has a gradient.

    Why: A weight without a gradient stays at its initial value.
    Mend: Use it in call, by differentiable operations; make one that is not to be trained with
    trainable=False.

    Example:
        self.add_weight(shape=(), initializer="ones", trainable=False, name="scale")
    """
    made = layer.built()
    if not made.trainable_weights:
        raise DoesNotApply("it has no trainable weights")
    with tf.GradientTape() as tape:
        outputs = layer.called(made, training=True)
        if not has_float_output(outputs):
            raise DoesNotApply("its output is not of floats")
        total = tf.add_n([tf.reduce_sum(tf.square(part)) for part in tf.nest.flatten(outputs)])
    values = [weight.value for weight in made.trainable_weights]
    gradients = tape.gradient(total, values)
    names = [w.name for w, g in zip(made.trainable_weights, gradients, strict=True) if g is None]
    if names:
        raise Warns(f"without a gradient: {', '.join(names)}")
    return f"all {len(gradients)} have one"
