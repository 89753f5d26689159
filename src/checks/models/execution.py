"""Checks that a model trains alike eagerly, by several steps at once, by XLA and in float16."""

from typing import Any

import keras
import numpy as np

from src.checks.closeness import differs_by
from src.checks.language import say
from src.checks.models.subject import EPOCHS, WHOLE, ModelSubject, weights_of
from src.checks.registry import DoesNotApply, Fails, check


@check("model")
def graph_and_eager_agree(model: ModelSubject) -> str:
    """Trained eagerly and in a graph it ends with the same weights."""
    if model.is_random(model.restarted()):
        raise DoesNotApply("its training is random")
    return _as_plain(model, run_eagerly=True)


@check("model")
def steps_per_execution_changes_nothing(model: ModelSubject) -> str:
    """Two steps in one graph call give the weights of two calls."""
    return _as_plain(model, steps_per_execution=2)


@check("model")
def trains_under_jit_compile(model: ModelSubject) -> str:
    """Compiled by XLA the training step gives the same weights."""
    return _as_plain(model, jit_compile=True)


def _as_plain(model: ModelSubject, **compiling: Any) -> str:
    plain, made = model.plain, model.restarted(**compiling)
    if compiling.get("jit_compile") and not made.jit_compile:
        raise DoesNotApply("a layer in it says that XLA cannot compile it")
    model.fitted(made, WHOLE, EPOCHS)
    if model.is_random(made):
        return say("it trains; weights are not compared, training is random")
    difference = differs_by(plain.after, weights_of(made), 1e-3)
    if difference:
        raise Fails("weights differ by {:.3g} of the largest", difference)
    return say("the same weights after {} epochs", EPOCHS)


@check("model")
def trains_in_mixed_precision(model: ModelSubject) -> str:
    """Under mixed_float16 its steps are as large as in float32."""
    plain = model.plain
    values = model.restarted().get_weights()
    keras.config.set_dtype_policy("mixed_float16")
    half = model.make()
    half(model.data.x)
    half.set_weights(values)
    model.fitted(model.compiled(half), WHOLE, EPOCHS)
    expected = np.linalg.norm(plain.after - plain.before)
    moved = np.linalg.norm(weights_of(half) - plain.before)
    seen = say("weights moved by {:.3g}, in float32 by {:.3g}", moved, expected)
    if not 0.5 * expected <= moved <= 2 * expected:
        raise Fails(seen)
    return seen
