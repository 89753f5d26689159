"""Checks of a loss's gradient: that there is one, that it is right, that it stays finite."""

from __future__ import annotations

import numpy as np

from src.checks.closeness import apart, shown
from src.checks.loss_subject import LossSubject
from src.checks.messages import one_line
from src.checks.registry import Fails, Warns, check

_STEP = {"float64": 1e-6, "float32": 4e-3}
_TOLERANCE = {"float64": 1e-4, "float32": 4e-2}
_STABLE = """
p = ops.clip(y_pred, keras.config.epsilon(), 1 - keras.config.epsilon())
loss = -ops.log(p)
# of logits: ops.log_softmax(y_pred) or ops.softplus(-margin), never ops.log(ops.softmax(y_pred))
"""


@check(
    "loss",
    why="Without a gradient the weights never move, and Keras says only that gradients do not "
    "exist, or nothing at all.",
    mend="Use TensorFlow or keras.ops throughout; no argmax, round, cast to integers or numpy on "
    "the way from y_pred to the loss.",
    example="p = ops.sigmoid(10 * (y_pred - 0.5))   # not ops.cast(y_pred > 0.5, 'float32')",
)
def has_a_gradient(loss: LossSubject) -> str:
    """The gradient by the predictions exists and is not zero."""
    _, gradient = loss.value_and_gradient(loss.task.y_true, loss.task.y_pred)
    if not np.any(gradient != 0):
        raise Fails("the gradient is 0 for every prediction")
    return f"gradient {shown(gradient)}"


@check(
    "loss",
    why="The optimizer follows the gradient, not the value: a wrong one trains on another loss.",
    mend="Look for stop_gradient, custom_gradient, or a path through numpy.",
    example="weight = (1 - p) ** gamma      # not ops.stop_gradient(1 - p) ** gamma",
)
def gradient_is_that_of_the_value(loss: LossSubject) -> str:
    """The gradient agrees with finite differences of the value."""
    task = loss.task
    dtype = "float64"
    try:
        loss.value_and_gradient(task.y_true, task.y_pred.astype(dtype))
    except Exception:  # made for float32 alone, which works_in_float16 speaks about
        dtype = "float32"
    y_pred = task.y_pred.astype(dtype)
    value, gradient = loss.value_and_gradient(task.y_true, y_pred)
    if value.dtype != np.float64:
        dtype = "float32"
    directions = np.random.default_rng(1).choice([-1.0, 1.0], (12, *y_pred.shape))
    kept = max(1, y_pred.shape[0] // 4)
    wrong = []
    made = loss.make(None)
    made._dtype = y_pred.dtype.name
    for index, direction in enumerate(directions):
        rows = np.arange(y_pred.shape[0]) % (y_pred.shape[0] // kept) == index % 4
        direction[~rows] = 0
        step = (_STEP[dtype] * direction * np.minimum(y_pred, 1)).astype(y_pred.dtype)
        ends = [np.asarray(made(task.y_true, y_pred + s), "float64").sum() for s in (step, -step)]
        expected, slope = (ends[0] - ends[1]) / 2, float((gradient * step).sum())
        size = max(np.abs(gradient * step).sum(), 1e-12)
        if not abs(expected - slope) <= _TOLERANCE[dtype] * size:
            wrong.append((slope / _STEP[dtype], expected / _STEP[dtype]))
    if len(wrong) > 2:  # a kink may lie on the way once
        slope, expected = wrong[0]
        raise Fails(
            f"in {len(wrong)} of 12 directions the gradient differs from finite differences, for "
            f"example {slope:.5g} against {expected:.5g}"
        )
    return f"agrees with finite differences in {12 - len(wrong)} of 12 directions ({dtype})"


@check(
    "loss",
    why="A sure model predicts exactly 0 or 1: log(0) is infinite and one NaN ends the training.",
    mend="Keep probabilities away from 0 and 1, compute from logits in their stable form.",
    example=_STABLE,
)
def finite_when_saturated(loss: LossSubject) -> str:
    """Value and gradient are finite at predictions of exactly 0 and 1, or logits of +-100."""
    task = loss.task
    for what, target in (("right", task.target), ("wrong", task.wrong())):
        y_pred = task.predicting(target, loss.scale, sureness=1.0)
        value, gradient = loss.value_and_gradient(task.y_true, y_pred)
        for name, array in (("value", value), ("gradient", gradient)):
            if not np.isfinite(array).all():
                bad = array[~np.isfinite(array)][0]
                raise Fails(f"{name} {bad} at surely {what} {loss.scale}, {shown(y_pred[0])}")
    return f"finite at surely right and surely wrong {loss.scale}"


@check(
    "loss",
    why="Half precision has 3 digits and ends at 65504: exponentials overflow, and constants of "
    "another dtype do not mix.",
    mend="Take dtypes from y_pred, cast labels to it, and use stable forms of log and exp.",
    example="y_true = ops.cast(y_true, y_pred.dtype)   # not 'float32'",
)
def works_in_float16(loss: LossSubject) -> str:
    """With dtype float16 the value is near that of float32, and finite for logits of +-12."""
    task = loss.task
    sure = task.predicting(task.wrong(), loss.scale) * np.float32(
        4 if loss.scale == "logits" and task.form not in ("numbers", "labels") else 1
    )
    for y_pred in (task.y_pred, sure):
        single, _ = loss.value_and_gradient(task.y_true, y_pred)
        try:
            half, gradient = loss.value_and_gradient(task.y_true, y_pred.astype("float16"))
        except Exception as error:
            raise Warns(
                f"dtype='float16' raises {one_line(error)}. Under mixed_float16 Keras hands losses "
                "float32, so that this shows only where it is asked for"
            ) from error
        if not np.isfinite(half).all() or not np.isfinite(gradient).all():
            raise Fails(f"not finite in float16 at {shown(y_pred[0])}: {shown(half)}")
        worst = apart(single, half, 2e-2)
        if worst:
            raise Fails(f"float16 gives {shown(half)}, float32 {shown(single)}")
    return "float16 agrees with float32 within 2 %"
