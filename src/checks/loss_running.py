"""Checks of where a loss runs: graphs, XLA, saved configs."""

from __future__ import annotations

import keras
import tensorflow as tf

from src.checks.closeness import apart, shown
from src.checks.loss_subject import LossSubject
from src.checks.messages import one_line
from src.checks.registry import DoesNotApply, Fails, check
from src.checks.round_trip import altered, copy_by_config, lost

_GRAPH = "loss = ops.where(error < 1, small, large)    # not: if error < 1: ...   not: y.numpy()"


@check(
    "loss",
    why="fit runs the loss in a graph, where tensors have no value and the batch no known size.",
    mend="No .numpy(), no Python if or for over tensors, ops.shape(x)[0] for the batch's size.",
    example=_GRAPH,
)
def runs_in_a_graph(loss: LossSubject) -> str:
    """In a graph, with an unknown batch size, it gives the eager values."""
    return _in_graph(loss, jit_compile=False)


@check(
    "loss",
    why="compile(jit_compile=True), the default on a GPU, compiles the loss with XLA.",
    mend="Use keras.ops with shapes that are known; no tf.py_function, no strings, no dynamic "
    "shapes such as tf.boolean_mask.",
    example="ops.sum(ops.where(mask, loss, 0))     # not tf.boolean_mask(loss, mask)",
)
def runs_under_jit_compile(loss: LossSubject) -> str:
    """Compiled by XLA it gives the eager values."""
    return _in_graph(loss, jit_compile=True)


def _in_graph(loss: LossSubject, jit_compile: bool) -> str:
    task, made = loss.task, loss.make(None)
    y_true, y_pred = tf.convert_to_tensor(task.y_true), tf.convert_to_tensor(task.y_pred)
    size = y_true.shape[:1] if jit_compile else [None]
    signature = [tf.TensorSpec([*size, *t.shape[1:]], t.dtype) for t in (y_true, y_pred)]
    # Keras's training step is traced without autograph.
    function = tf.function(
        made, input_signature=signature, autograph=False, jit_compile=jit_compile
    )
    try:
        value = function(y_true, y_pred)
    except Exception as error:
        raise Fails(one_line(error)) from error
    if apart(value, loss.values, 1e-3):
        raise Fails(f"{shown(value)} in the graph, {shown(loss.values)} eagerly")
    return f"{shown(value)}, as eagerly"


@check(
    "loss",
    why="A saved model holds its loss as a config; an argument that is not in it is lost.",
    mend="get_config returns every argument of the constructor, with super's; the constructor "
    "takes **kwargs for name, reduction and dtype.",
    example="""
    def get_config(self):
        return {**super().get_config(), "gamma": self.gamma}
    """,
)
def config_round_trips(loss: LossSubject) -> str:
    """`from_config(get_config())` gives the same loss, whatever its arguments."""
    task, made = loss.task, loss.make()
    if not isinstance(loss.recipe.make(), keras.losses.Loss):
        raise DoesNotApply("a function has no config; a saved model names it")
    tried = [{}, *altered(loss.recipe)]
    for change in tried:
        made = loss.make(**change)
        made.reduction = "sum"
        copy = copy_by_config(made)
        missing = lost(made, copy)
        if missing:
            raise Fails(f"made with {change or 'its defaults'}, the copy differs: {missing[0]}")
        try:
            value = made(task.y_true, task.y_pred)
        except Exception:  # an altered argument may not fit the labels
            continue
        if apart(value, copy(task.y_true, task.y_pred)):
            raise Fails(f"made with {change or 'its defaults'}, the copy gives another value")
    names = ", ".join(name for change in tried for name in change) or "no argument"
    return f"the copy is the same, {names} altered"
