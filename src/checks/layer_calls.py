"""Checks of a layer's calls: any batch size, training and inference, masks, dtype policies."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras.src.backend import get_keras_mask

from src.checks.closeness import apart, shown
from src.checks.layer_subject import BATCH, STEPS, Inputs, LayerSubject
from src.checks.messages import one_line
from src.checks.registry import DoesNotApply, Fails, Warns, check


@check(
    "layer",
    why="In a model the batch size is unknown when the layer is traced, and the last batch of an "
    "epoch is smaller.",
    mend="Use ops.shape(x)[0], or -1 in reshape, where the batch size is needed.",
    example="ops.reshape(x, (-1, self.units))     # not (x.shape[0], self.units)",
)
def takes_any_batch_size(layer: LayerSubject) -> str:
    """In a model, with an unknown batch size, it gives the eager output for 1 and 4 samples."""
    try:
        made, model = layer.in_model
        signature = [tf.TensorSpec([None, *a.shape[1:]], a.dtype) for a in layer.inputs.arrays]
        function = tf.function(
            lambda arrays: model(arrays, training=False),
            input_signature=[signature],
            autograph=False,
        )
        for count in (BATCH, 1):
            arrays = layer.inputs.rows(count)
            value = function(list(arrays))
            eager = layer.called(made, arrays=arrays)
            if apart(value, eager, 1e-3):
                raise Fails(f"{count} samples: {shown(value)} in a model, {shown(eager)} alone")
    except Fails:
        raise
    except Exception as error:
        raise Fails(one_line(error)) from error
    return f"{BATCH} samples and 1, as alone"


@check(
    "layer",
    why="Keras infers the shapes of a model's layers before there is data; a wrong answer builds "
    "the next layer for another shape.",
    mend="Return the output's shape with the batch as it came in, or leave the method out.",
    example="def compute_output_shape(self, input_shape): return (*input_shape[:-1], self.units)",
)
def compute_output_shape_is_right(layer: LayerSubject) -> str:
    """`compute_output_shape` says the shape of the output."""
    made = layer.ready
    outputs = layer.called(made)
    shapes = [(None, *array.shape[1:]) for array in layer.inputs.arrays]
    try:
        said = made.compute_output_shape(*layer.inputs.given(shapes))
    except NotImplementedError as error:
        raise DoesNotApply("it says none") from error
    flat = _shapes(said)
    real = [tuple(part.shape) for part in tf.nest.flatten(outputs)]
    if len(flat) != len(real) or not all(map(_fits, flat, real)):
        raise Fails(f"it says {said}, the output has {real}")
    return f"{said}"


def _shapes(said: Any) -> list[tuple[int | None, ...]]:
    """The shapes in what `compute_output_shape` returned."""
    if isinstance(said, dict):
        return [shape for part in said.values() for shape in _shapes(part)]
    if all(isinstance(size, int | None) for size in said):
        return [tuple(said)]
    return [shape for part in said for shape in _shapes(part)]


def _fits(said: tuple[int | None, ...], real: tuple[int, ...]) -> bool:
    return len(said) == len(real) and all(
        size is None or size == known for size, known in zip(said, real, strict=True)
    )


@check(
    "layer",
    why="predict and evaluate must give the same numbers each time: noise and dropout belong to "
    "training.",
    mend="Take training=False in call, and draw random numbers only where it is true.",
    example="""
    def call(self, inputs, training=False):
        return keras.random.dropout(inputs, 0.5, seed=self.seed) if training else inputs
    """,
)
def inference_is_deterministic(layer: LayerSubject) -> str:
    """Outside of training the same input gives the same output; in training it can be called."""
    made = layer.built()
    try:
        layer.called(made, training=True)
    except Exception as error:
        raise Fails(f"with training=True it raises {one_line(error)}") from error
    first, again = layer.called(made), layer.called(made)
    if apart(first, again, 1e-6):
        raise Fails(f"two calls with training=False gave {shown(first)} and {shown(again)}")
    return "two calls give the same, training=True works"


@check(
    "layer",
    why="A mask says which steps of a sequence are padding; a layer that loses it, or that lets "
    "padding into the result, makes the length of the padding count.",
    mend="Set self.supports_masking = True where every step is treated alike; take mask=None in "
    "call and return None from compute_mask where steps are merged.",
    example="""
    def call(self, inputs, mask=None):
        weight = ops.cast(mask, inputs.dtype)[..., None]
        return ops.sum(inputs * weight, axis=1) / ops.sum(weight, axis=1)
    def compute_mask(self, inputs, mask=None):
        return None
    """,
)
def masks_are_handed_on(layer: LayerSubject) -> str:
    """Masks of sequences fit the output, and masked steps do not change it."""
    sequences = tf.constant(np.random.default_rng(3).uniform(0.1, 0.9, (BATCH, STEPS, 6)))
    inputs = Inputs("masked sequences", (tf.cast(sequences, tf.float32),))
    mask = np.ones((BATCH, STEPS), bool)
    mask[0, 3:] = mask[1, 4:] = False
    made = layer.make()
    if len(layer.inputs.arrays) > 1:
        raise DoesNotApply("it takes several inputs")
    try:
        output = layer.called(made, inputs=inputs)
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
    handed_on = get_keras_mask(layer.called(made, inputs=inputs, arrays=[masked]))
    if handed_on is not None and handed_on.shape != output.shape[: handed_on.shape.rank]:
        raise Fails(f"mask of shape {handed_on.shape} on an output of shape {output.shape}")
    if layer.takes(made, "mask") and keeps_steps is False:
        _hold_padding_apart(layer, made, inputs, mask)
    return "handed on" if handed_on is not None else "taken, and ended on purpose"


def _hold_padding_apart(layer: LayerSubject, made: Any, inputs: Inputs, mask: np.ndarray) -> None:
    """Raises `Fails` where what stands in masked steps changes the output."""
    (array,) = inputs.arrays
    other = tf.where(mask[..., None], array, 7.0)
    first, second = (
        layer.called(made, inputs=inputs, arrays=[a], mask=tf.constant(mask))
        for a in (array, other)
    )
    if apart(first, second, 1e-3):
        raise Fails(f"other values in masked steps change {shown(first)} to {shown(second)}")


@check(
    "layer",
    why="Under mixed_float16 inputs and weights reach call in float16: a constant or a cast in "
    "float32 does not mix with them.",
    mend="Cast to inputs.dtype or self.compute_dtype, never to a dtype by name.",
    example="ops.cast(mask, inputs.dtype)     # not ops.cast(mask, 'float32')",
)
def follows_the_dtype_policy(layer: LayerSubject) -> str:
    """Under mixed_float16 and float64 it runs, near its float32 output, in the policy's dtype."""
    single = layer.ready
    expected = layer.called(single)
    if not layer.has_float_output(expected):
        raise DoesNotApply("its output is not of floats")
    notes = []
    for policy in ("mixed_float16", "float64"):
        keras.config.set_dtype_policy(policy)
        made = layer.make()
        try:
            outputs = layer.called(made)
            made.set_weights(single.get_weights())
            outputs = layer.called(made)
        except Exception as error:
            raise Fails(f"under {policy}: {one_line(error)}") from error
        if apart(expected, outputs, 5e-2):
            raise Fails(f"under {policy} {shown(outputs)}, in float32 {shown(expected)}")
        dtypes = {part.dtype.name for part in tf.nest.flatten(outputs)}
        if dtypes != {made.compute_dtype}:
            notes.append(f"under {policy} the output is {', '.join(sorted(dtypes))}")
    if notes:
        raise Warns("; ".join(notes))
    return "float16 and float64 outputs agree with float32"
