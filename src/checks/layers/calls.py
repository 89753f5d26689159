"""Checks of a layer's calls: any batch size, training and inference, masks, dtype policies."""

from contextlib import suppress
from itertools import product
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from src.checks.attributes import held
from src.checks.closeness import as_vector, shown
from src.checks.language import say
from src.checks.layers.subject import BATCH, STEPS, Inputs, LayerSubject, has_float_output
from src.checks.registry import DoesNotApply, Fails, Warns, check, failing
from src.checks.subject import in_graph


@check("layer")
def takes_any_batch_size(layer: LayerSubject) -> str:
    """In a model, with an unknown batch size, it gives the eager output for 1 and 4 examples."""
    model = layer.model

    def call(*arrays: tf.Tensor) -> Any:
        return model(list(arrays), training=False)

    function = in_graph(call, layer.data.arrays, jit_compile=False)
    for count in (BATCH, 1):
        inputs = layer.data.holding(array[:count] for array in layer.data.arrays)
        value, eager = function(*inputs.arrays), layer.called(layer.ready, inputs)
        if layer.differ(value, eager, 1e-3):
            raise Fails("{} examples: {} in a model, {} alone", count, shown(value), shown(eager))
    return say("{} examples and 1, as alone", BATCH)


@check("layer")
def compute_output_shape_is_right(layer: LayerSubject) -> str:
    """`compute_output_shape` says the shape of the output."""
    outputs = layer.called(layer.ready)
    shapes = [(None, *array.shape[1:]) for array in layer.data.arrays]
    try:
        said = layer.ready.compute_output_shape(*layer.data.holding(shapes).arguments)
    except NotImplementedError as error:
        raise DoesNotApply("it says none") from error
    flat = _shapes(said)
    real = [tuple(part.shape) for part in tf.nest.flatten(outputs)]
    if not all(map(tf.TensorShape.is_compatible_with, flat, real)) or len(flat) != len(real):
        raise Fails("it says {}, the output has {}", said, real)
    return f"{said}"


def _shapes(said: Any) -> list[tf.TensorShape]:
    """The shapes in what `compute_output_shape` returned."""
    if isinstance(said, dict):
        return [shape for part in said.values() for shape in _shapes(part)]
    if all(isinstance(size, int | None) for size in said):
        return [tf.TensorShape(said)]
    return [shape for part in said for shape in _shapes(part)]


@check("layer")
def inference_is_deterministic(layer: LayerSubject) -> str:
    """Outside of training the same input gives the same output; in training it can be called."""
    made = layer.built()
    with failing("training=True"):
        layer.called(made, training=True)
    if layer.is_random:
        seen = say("two calls gave {} and {}", shown(layer.called(made)), shown(layer.called(made)))
        generator = any(isinstance(v, keras.random.SeedGenerator) for _, v in held(made))
        if generator and not layer.takes(made, "training"):
            raise Warns("{}, from a generator of Keras and whether it trains or not", seen)
        raise Fails("{} with training=False", seen)
    return say("two calls give the same, training=True works")


@check("layer")
def no_nan_at_the_edge(layer: LayerSubject) -> str:
    """Zeros, very small and large numbers, and one example give no NaN, nor do their gradients."""
    made, arrays = layer.built(), layer.data.arrays
    if not arrays[0].dtype.is_floating or not has_float_output(layer.called(made)):
        raise DoesNotApply("it does not take floats to floats")
    edged = 1 if layer.data.labelled else len(arrays)
    numbers = {say("zeros"): 0.0, say("numbers of 1e-20"): 1e-20, say("numbers of 1e4"): 1e4}
    modes = (False, True) if layer.takes(made, "training") else (False,)
    for (what, value), count, training in product(numbers.items(), (BATCH, 1), modes):
        edge = [tf.fill([count, *a.shape[1:]], tf.cast(value, a.dtype)) for a in arrays[:edged]]
        inputs = layer.data.holding([*edge, *(a[:count] for a in arrays[edged:])])
        with suppress(Exception), tf.GradientTape() as tape:  # numbers it does not take
            tape.watch(edge)
            output = layer.called(made, inputs, training=training)
            found = {say("output"): [output], say("gradient"): tape.gradient(output, edge)}
            for name, parts in found.items():
                if any(part is not None and np.isnan(as_vector(part)).any() for part in parts):
                    raise Fails("the {} is NaN for {} in a batch of {}", name, what, count)
    return say("none for zeros, 1e-20, 1e4, alone and in a batch")


class _MaskProbe(keras.layers.Layer):
    """Keeps the mask that comes with its inputs."""

    def call(self, inputs: Any, mask: Any = None) -> Any:
        self.seen = mask
        return inputs


@check("layer")
def masks_are_handed_on(layer: LayerSubject) -> str:
    """Masks of sequences fit the output, and masked steps do not change it."""
    values = np.random.default_rng(3).uniform(0.1, 0.9, (BATCH, STEPS, 6))
    inputs = Inputs("masked sequences", (tf.constant(values, tf.float32),))
    mask = np.ones((BATCH, STEPS), bool)
    mask[0, 3:] = mask[1, 4:] = False
    made = layer.make()
    if len(layer.data.arrays) > 1:
        raise DoesNotApply("it takes several inputs")
    try:
        output = layer.called(made, inputs)
    except Exception as error:
        raise DoesNotApply("it takes no sequences") from error
    if not isinstance(output, tf.Tensor) or not output.dtype.is_floating:
        raise DoesNotApply("its output is not one tensor of floats")
    keeps_steps = output.shape[:2] == (BATCH, STEPS)
    if not made.supports_masking:
        if keeps_steps:
            raise Warns("masks end at it: supports_masking is False though it keeps the steps")
        raise DoesNotApply("it does not support masks, and Keras says so")
    masked = keras.layers.Masking()(inputs.arrays[0] * mask[..., None].astype("float32"))
    probe = _MaskProbe()
    probe(layer.called(made, inputs.holding([masked])))
    if probe.seen is not None and probe.seen.shape != output.shape[: probe.seen.shape.rank]:
        raise Fails("mask of shape {} on an output of shape {}", probe.seen.shape, output.shape)
    if layer.takes(made, "mask") and not keeps_steps:
        other = inputs.holding([tf.where(mask[..., None], inputs.arrays[0], 7.0)])
        first, second = (layer.called(made, i, mask=tf.constant(mask)) for i in (inputs, other))
        if layer.differ(first, second, 1e-3):
            raise Fails("other values in masked steps change {} to {}", shown(first), shown(second))
    return say("handed on") if probe.seen is not None else say("taken, and ended on purpose")


@check("layer")
def follows_the_dtype_policy(layer: LayerSubject) -> str:
    """Under mixed_float16 and float64 it runs, near its float32 output, in the policy's dtype."""
    single = layer.ready
    expected = layer.called(single)
    if not has_float_output(expected):
        raise DoesNotApply("its output is not of floats")
    notes = []
    for policy in ("mixed_float16", "float64"):
        keras.config.set_dtype_policy(policy)
        made = layer.make()
        with failing(f"{policy}"):
            layer.called(made)
            made.set_weights(single.get_weights())
            outputs = layer.called(made)
        if layer.differ(expected, outputs, 5e-2):
            raise Fails("under {} {}, in float32 {}", policy, shown(outputs), shown(expected))
        dtypes = {part.dtype.name for part in tf.nest.flatten(outputs)}
        if dtypes != {made.compute_dtype}:
            notes.append(say("under {} the output is {}", policy, ", ".join(sorted(dtypes))))
    if notes:
        raise Warns("; ".join(notes))
    return say("float16 and float64 outputs agree with float32")
