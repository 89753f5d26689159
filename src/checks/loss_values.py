"""Checks of a loss's values: its shape, its reduction, its weights, its samples one by one."""

from __future__ import annotations

import keras
import numpy as np

from src.checks.closeness import apart, numbers, shown
from src.checks.loss_subject import LossSubject
from src.checks.registry import DoesNotApply, Fails, Warns, check
from src.checks.tasks import BATCH

_CALL = """
class MyLoss(keras.losses.Loss):
    def call(self, y_true, y_pred):
        return keras.ops.mean(keras.ops.square(y_true - y_pred), axis=-1)   # (batch,)
"""


@check(
    "loss",
    why="Keras calls every loss as loss(y_true, y_pred), the labels cast to floats.",
    mend="Take exactly (y_true, y_pred); cast integer labels back with ops.cast(y_true, 'int32').",
    example=_CALL,
)
def takes_labels_and_predictions(loss: LossSubject) -> str:
    """It takes labels and predictions in one of the usual forms and gives finite numbers."""
    loss.refused()
    return f"takes {loss.task.what}, as {loss.scale}"


@check(
    "loss",
    why="Keras weights and averages the samples' losses itself; of any other shape it averages "
    "the wrong thing, and sample weights do not fit.",
    mend="Average over the last axis only, axis=-1, not over the batch and not over nothing.",
    example=_CALL,
)
def gives_one_value_a_sample(loss: LossSubject) -> str:
    """It gives shape (batch,), or a scalar."""
    shape = loss.values.shape
    if shape in ((BATCH,), ()):
        return f"shape {shape} for a batch of {BATCH}"
    if shape == (BATCH, 1):
        raise Warns(f"shape {shape}: Keras makes do, other code broadcasts it with (batch,)")
    raise Fails(f"shape {shape} for a batch of {BATCH}; must be ({BATCH},) or ()")


@check(
    "loss",
    why="Training lowers the loss: with a sign lost it makes the model worse.",
    mend="Look for a missing minus before the logarithm, or swapped y_true and y_pred.",
    example="return -ops.log(p_true)        # not ops.log(p_true)",
)
def right_predictions_cost_less(loss: LossSubject) -> str:
    """Right predictions have a lower loss than wrong ones."""
    task, made = loss.task, loss.make()
    right = float(made(task.y_true, task.predicting(task.target, loss.scale)))
    wrong = float(made(task.y_true, task.predicting(task.wrong(), loss.scale)))
    if not right < wrong:
        raise Fails(f"right predictions cost {right:.5g}, wrong ones {wrong:.5g}")
    return f"right predictions cost {right:.5g}, wrong ones {wrong:.5g}"


@check(
    "loss",
    why="The same data must give the same loss, or no two epochs can be compared.",
    mend="Keep no state in a loss and draw no random numbers in it.",
    example="# what changes from call to call belongs in a layer, a metric or a callback",
)
def same_value_every_time(loss: LossSubject) -> str:
    """Two calls on the same data give the same value."""
    task, made = loss.task, loss.make()
    values = [float(made(task.y_true, task.y_pred)) for _ in range(3)]
    if len(set(values)) > 1:
        raise Fails(f"three calls gave {shown(values)}")
    return f"{values[0]:.5g} three times"


@check(
    "loss",
    why="Batches are drawn anew each epoch and the last one is smaller: a sample's loss must not "
    "depend on its neighbours.",
    mend="Sum, average and normalise over the axes of one sample (axis=-1), never over axis 0; "
    "name the axis in squeeze.",
    example="ops.mean(errors, axis=-1)      # not ops.mean(errors), not / ops.max(errors)",
)
def batch_does_not_change_a_sample(loss: LossSubject) -> str:
    """A sample has the same loss alone as in a batch."""
    task, made = loss.task, loss.make(None)
    alone = [
        numbers(made(task.y_true[i : i + 1], task.y_pred[i : i + 1])).sum() for i in range(BATCH)
    ]
    together = loss.values.reshape(BATCH, -1).sum(-1) if loss.values.ndim else loss.values
    if not loss.is_scalar:
        if apart(alone, together):
            raise Fails(f"alone {shown(alone)}, in the batch {shown(together)}")
        return "each sample alone costs what it costs in the batch"
    if apart(np.mean(alone), together) and apart(np.sum(alone), together):
        raise Fails(
            f"the batch's loss {shown(together)} is neither the mean {np.mean(alone):.5g} nor the "
            f"sum {np.sum(alone):.5g} of its samples'"
        )
    return "the batch's loss is the mean, or the sum, of its samples'"


@check(
    "loss",
    why="reduction='sum', 'sum_over_batch_size' and 'none' must mean what they mean everywhere, "
    "or losses cannot be compared or distributed.",
    mend="Define call, not __call__, return one value a sample and let Keras reduce.",
    example=_CALL,
)
def leaves_reduction_to_keras(loss: LossSubject) -> str:
    """Sum and mean are those of the samples' losses."""
    task = loss.task
    if loss.is_scalar:
        shape = loss.shape_of_call()
        if shape != ():
            raise Fails(f"call gives shape {shape}, with reduction=None the loss is a scalar")
        raise DoesNotApply("it is a scalar: there is nothing left to reduce")
    for reduction, expected in (
        ("sum", loss.values.sum()),
        ("sum_over_batch_size", loss.values.mean()),
    ):
        value = loss.make(reduction)(task.y_true, task.y_pred)
        if apart(value, expected):
            raise Fails(f"reduction={reduction!r} gives {shown(value)}, must be {expected:.5g}")
    return "sum and mean are those of the samples' losses"


@check(
    "loss",
    why="class_weight and sample_weight reach a loss as sample weights; a loss that ignores them "
    "trains on something else than you asked for, without a word.",
    mend="Return one value a sample from call; do not override __call__.",
    example=_CALL,
)
def weights_each_sample(loss: LossSubject) -> str:
    """A sample weight multiplies the loss of that sample and no other."""
    task = loss.task
    if loss.is_scalar:
        raise Warns("it is one number for the batch: weights cannot tell samples apart")
    weights = np.linspace(0, 2, BATCH).astype("float32")
    try:
        value = loss.make("sum")(task.y_true, task.y_pred, sample_weight=weights)
    except Exception as error:
        raise Fails(f"with sample_weight of shape ({BATCH},) it raises {error}") from error
    shape = (BATCH, *[1] * (loss.values.ndim - 1))
    expected = float((loss.values * weights.reshape(shape)).sum())
    if apart(value, expected):
        raise Fails(f"weighted sum {shown(value)}, must be {expected:.5g}")
    first = keras.ops.convert_to_numpy(loss.make("sum")(task.y_true, task.y_pred))
    return f"weighted sum {shown(value)}, unweighted {shown(first)}"
