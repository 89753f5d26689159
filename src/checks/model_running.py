"""Checks of where a model trains and how it is saved: XLA, mixed precision, files."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import keras
import numpy as np

from src.checks.closeness import apart, shown
from src.checks.messages import one_line
from src.checks.model_subject import (
    BATCH,
    EPOCHS,
    RATE,
    ModelSubject,
    compile_for_check,
    weights_of,
)
from src.checks.model_training import STEP
from src.checks.registry import DoesNotApply, Fails, Warns, check
from src.checks.round_trip import lost, objects_beside

_SAVED = """
@keras.saving.register_keras_serializable(package="mine")
class MyModel(keras.Model):
    def __init__(self, clip_norm=1.0, **kwargs): ...
    def get_config(self):
        return {**super().get_config(), "clip_norm": self.clip_norm}
"""


@check(
    "model",
    why="steps_per_execution runs several steps in one graph call, for speed on a GPU.",
    mend="Return only tensors from train_step, and the same keys each time.",
    example=STEP,
)
def steps_per_execution_changes_nothing(model: ModelSubject) -> str:
    """Two steps in one graph call give the weights of two calls."""
    return _as_plain(model, steps_per_execution=2)


@check(
    "model",
    why="jit_compile=True is the default on a GPU: XLA compiles the whole training step.",
    mend="Use keras.ops with shapes that are known; no tf.py_function, tf.print or dynamic shapes.",
    example="model.compile(..., jit_compile=False)     # where XLA cannot compile what you need",
)
def trains_under_jit_compile(model: ModelSubject) -> str:
    """Compiled by XLA the training step gives the same weights."""
    return _as_plain(model, jit_compile=True)


def _as_plain(model: ModelSubject, **compiling: Any) -> str:
    plain, made = model.plain, model.restarted(**compiling)
    if compiling.get("jit_compile") and not made.jit_compile:
        raise DoesNotApply("a layer in it says that XLA cannot compile it")
    try:
        model.fitted(made, 2 * BATCH, EPOCHS)
    except Exception as error:
        raise Fails(one_line(error)) from error
    if model.is_random(made):
        return "it trains; weights are not compared, training is random"
    difference = apart(plain.after, weights_of(made), 1e-3)
    if difference:
        raise Fails(f"weights differ by {difference:.3g} of the largest")
    return f"the same weights after {EPOCHS} epochs"


@check(
    "model",
    why="Under mixed_float16 the optimizer divides gradients by a scale, at first 32768: a loss "
    "that was not multiplied by it gives steps too small to see.",
    mend="Differentiate self.optimizer.scale_loss(loss), and mix no dtypes in call.",
    example=STEP,
)
def trains_in_mixed_precision(model: ModelSubject) -> str:
    """Under mixed_float16 its steps are as large as in float32."""
    plain = model.plain
    expected = np.linalg.norm(plain.after - plain.before)
    values = model.restarted().get_weights()
    keras.config.set_dtype_policy("mixed_float16")
    half = model.make()
    try:
        half(model.lesson.x)
        half.set_weights(values)
        compile_for_check(half, model.lesson, RATE)
        model.fitted(half, 2 * BATCH, EPOCHS)
    except Exception as error:
        raise Fails(one_line(error)) from error
    moved = np.linalg.norm(weights_of(half) - plain.before)
    if not 0.5 * expected <= moved <= 2 * expected:
        raise Fails(f"weights moved by {moved:.3g}, in float32 by {expected:.3g}")
    return f"weights moved by {moved:.3g}, in float32 by {expected:.3g}"


@check(
    "model",
    why="A model that cannot be saved, or that predicts otherwise once loaded, is lost work.",
    mend="Define get_config with every argument of the constructor; create layers in __init__.",
    example=_SAVED,
)
def saves_and_loads(model: ModelSubject) -> str:
    """It saves, loads with `custom_objects` and predicts the same."""
    made = model.restarted()
    _, loaded = _saved(made, objects_beside(type(made)))
    if type(loaded).__name__ != type(made).__name__:
        raise Fails(f"saved a {type(made).__name__}, loaded a {type(loaded).__name__}")
    missing = [text for text in lost(made, loaded) if text.split(":")[0] in model.parameters]
    if missing:
        raise Fails(f"the loaded model differs: {missing[0]}")
    before, after = (np.asarray(m(model.lesson.x, training=False)) for m in (made, loaded))
    if apart(before, after):
        raise Fails(f"predicts {shown(before)} before, {shown(after)} after loading")
    return f"{shown(before)} before and after"


@check(
    "model",
    why="Whoever loads the model must know, and hand over, every class in it.",
    mend="Decorate the class with keras.saving.register_keras_serializable and import its module "
    "before loading.",
    example=_SAVED,
)
def loads_without_custom_objects(model: ModelSubject) -> str:
    """It loads without `custom_objects`."""
    made = model.restarted()
    made.compile()  # what is compiled here is the kit's own
    try:
        error, _ = _saved(made, None)
    except Fails as failure:
        raise DoesNotApply("it does not save, see saves_and_loads") from failure
    if error is not None:
        raise Warns(f"only with custom_objects={{'{type(made).__name__}': ...}}: {one_line(error)}")
    return "by its registration"


def _saved(made: Any, objects: dict[str, Any] | None) -> tuple[Exception | None, Any]:
    """Saves and loads; without objects, what loading raised comes back."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.keras"
        try:
            made.save(file)
        except Exception as error:
            raise Fails(f"model.save() raises {one_line(error)}") from error
        try:
            return None, keras.saving.load_model(file, custom_objects=objects, compile=False)
        except Exception as error:
            if objects is None:
                return error, None
            raise Fails(f"load_model raises {one_line(error)}") from error
