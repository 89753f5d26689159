"""Checks of where a layer runs and how it is saved: XLA, configs, files."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from src.checks.closeness import apart, shown
from src.checks.layer_subject import LayerSubject
from src.checks.messages import one_line
from src.checks.registry import DoesNotApply, Fails, Warns, check
from src.checks.round_trip import altered, copy_by_config, lost, objects_beside, plain_attributes

_CONFIG = """
@keras.saving.register_keras_serializable(package="mine")
class Scale(keras.layers.Layer):
    def __init__(self, factor, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor
    def get_config(self):
        return {**super().get_config(), "factor": self.factor}
"""


@check(
    "layer",
    why="compile(jit_compile=True), the default on a GPU, compiles the model with XLA.",
    mend="Use keras.ops with shapes that are known; no tf.py_function, no strings; or say "
    "self.supports_jit = False.",
    example="ops.sum(ops.where(mask, x, 0), axis=1)     # not tf.boolean_mask(x, mask)",
)
def runs_under_jit_compile(layer: LayerSubject) -> str:
    """Compiled by XLA it gives the eager output."""
    made = layer.ready
    if not made.supports_jit:
        raise DoesNotApply("supports_jit is False")
    if any(array.dtype == tf.string for array in layer.inputs.arrays):
        raise DoesNotApply("XLA knows no texts")

    def call(*arrays: tf.Tensor) -> Any:
        return layer.called(made, arrays=arrays)

    eager = layer.called(made)
    try:
        value = tf.function(call, jit_compile=True, autograph=False)(*layer.inputs.arrays)
    except Exception as error:
        raise Fails(one_line(error)) from error
    if apart(value, eager, 1e-3):
        raise Fails(f"{shown(value)} compiled, {shown(eager)} eagerly")
    return f"{shown(value)}, as eagerly"


@check(
    "layer",
    why="A saved model holds its layers as configs: an argument that is not in it is lost, or "
    "loading fails.",
    mend="get_config returns every argument of the constructor, with super's; the constructor "
    "takes **kwargs and hands them to super().__init__.",
    example=_CONFIG,
)
def config_round_trips(layer: LayerSubject) -> str:
    """`from_config(get_config())` gives the same layer, whatever its arguments."""
    default = _stored(layer.make())
    tried = [{}, *altered(layer.recipe)]
    for change in tried:
        made = layer.make(**change)
        copy = copy_by_config(made)
        missing = lost(made, copy)
        if missing:
            raise Fails(f"made with {change or 'its defaults'}, the copy differs: {missing[0]}")
        stored = _stored(made)
        if not change or all(stored.get(name) == default.get(name) for name in change):
            _compare(layer, made, copy, change)  # else what was stored has been compared
    names = ", ".join(name for change in tried for name in change) or "no argument"
    return f"the copy is the same, {names} altered"


def _stored(made: Any) -> dict[str, Any]:
    """What a layer keeps of its arguments, in its config or in attributes of their names."""
    return {**plain_attributes(made), **made.get_config()}


def _compare(layer: LayerSubject, made: Any, copy: Any, change: dict[str, Any]) -> None:
    """Raises `Fails` where a copy with the same weights gives another output."""
    try:
        first, second = layer.called(made), layer.called(made)
    except Exception:  # an altered argument may not fit the inputs
        if not change:
            raise
        return
    if apart(first, second):  # it keeps a state from call to call
        return
    layer.called(copy)
    copy.set_weights(made.get_weights())
    if apart(first, layer.called(copy), 1e-3):
        raise Fails(f"made with {change or 'its defaults'}, the copy gives another output")


@check(
    "layer",
    why="A model that cannot be saved, or that predicts otherwise once loaded, is lost work.",
    mend="Define get_config; create all weights in build or __init__, none in call.",
    example=_CONFIG,
)
def saves_and_loads(layer: LayerSubject) -> str:
    """A model with it saves, loads with `custom_objects`, and predicts the same."""
    made, model = layer.in_model
    _, loaded = _saved(model, objects_beside(type(made)))
    arrays = list(layer.inputs.arrays)
    before, after = model(arrays, training=False), loaded(arrays, training=False)
    if apart(before, after):
        raise Fails(f"predicts {shown(before)} before, {shown(after)} after loading")
    return f"{shown(before)} before and after"


@check(
    "layer",
    why="Whoever loads the model must know, and hand over, every class in it.",
    mend="Decorate the class with keras.saving.register_keras_serializable and import its module "
    "before loading.",
    example=_CONFIG,
)
def loads_without_custom_objects(layer: LayerSubject) -> str:
    """A model with it loads without `custom_objects`."""
    made, model = layer.in_model
    try:
        error, _ = _saved(model, None)
    except Fails as failure:
        raise DoesNotApply("it does not save, see saves_and_loads") from failure
    if error is not None:
        raise Warns(f"only with custom_objects={{'{type(made).__name__}': ...}}: {one_line(error)}")
    return "by its registration"


def _saved(model: Any, objects: dict[str, Any] | None) -> tuple[Exception | None, Any]:
    """Saves and loads a model; without objects, what loading raised comes back."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.keras"
        try:
            model.save(file)
        except Exception as error:
            raise Fails(f"model.save() raises {one_line(error)}") from error
        try:
            return None, keras.saving.load_model(file, custom_objects=objects)
        except Exception as error:
            if objects is None:
                return error, None
            raise Fails(f"load_model raises {one_line(error)}") from error
