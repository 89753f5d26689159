"""Checks of a loss's values: its shape, its reduction, its weights, its examples one by one."""

import keras
import numpy as np

from src.checks.closeness import as_vector, differs_by, shown
from src.checks.language import say, translated
from src.checks.losses.subject import LossSubject
from src.checks.registry import DoesNotApply, Fails, Warns, check, failing
from src.checks.tasks import BATCH


@check("loss")
def takes_labels_and_predictions(loss: LossSubject) -> str:
    """It takes labels and predictions in one of the usual forms and gives finite numbers."""
    return say("takes {}, as {}", loss.require_data().what, translated(loss.scale))


@check("loss")
def gives_one_value_a_sample(loss: LossSubject) -> str:
    """It gives shape (batch,), or a scalar."""
    shape = loss.values.shape
    if shape in ((BATCH,), ()):
        return say("shape {} for a batch of {}", shape, BATCH)
    if shape == (BATCH, 1):
        raise Warns("shape {}: Keras makes do, other code broadcasts it with (batch,)", shape)
    raise Fails("shape {} for a batch of {}; must be ({},) or ()", shape, BATCH, BATCH)


@check("loss")
def right_predictions_cost_less(loss: LossSubject) -> str:
    """Right predictions have a lower loss than wrong ones."""
    right, wrong = loss.cost_of_right_and_wrong(loss.scale)
    seen = say("right predictions cost {:.5g}, wrong ones {:.5g}", right, wrong)
    if not right < wrong:
        raise Fails(seen)
    return seen


@check("loss")
def same_value_every_time(loss: LossSubject) -> str:
    """Two calls on the same data give the same value."""
    task, made = loss.data, loss.make()
    values = [float(made(task.y_true, task.y_pred)) for _ in range(3)]
    if len(set(values)) > 1:
        raise Fails("three calls gave {}", shown(values))
    return say("{:.5g} three times", values[0])


@check("loss")
def batch_does_not_change_a_sample(loss: LossSubject) -> str:
    """An example has the same loss alone as in a batch."""
    task, made = loss.data, loss.make(None)
    alone = [
        as_vector(made(task.y_true[i : i + 1], task.y_pred[i : i + 1])).sum() for i in range(BATCH)
    ]
    if not loss.is_scalar:
        together = loss.values.reshape(BATCH, -1).sum(-1)
        if differs_by(alone, together):
            raise Fails("alone {}, in the batch {}", shown(alone), shown(together))
        return say("each example alone costs what it costs in the batch")
    if differs_by(np.mean(alone), loss.values):
        summed = differs_by(np.sum(alone), loss.values) is None
        raise Fails(
            say(
                "the batch's loss {} is not the mean of its examples', {:.5g}",
                shown(loss.values),
                np.mean(alone),
            )
            + (say(", but their sum: it grows with the batch") if summed else "")
        )
    return say("the batch's loss is the mean of its examples'")


@check("loss")
def leaves_reduction_to_keras(loss: LossSubject) -> str:
    """Sum and mean are those of the losses per example."""
    task = loss.data
    if loss.is_scalar:
        arrays = [keras.ops.cast(part, "float32") for part in (task.y_true, task.y_pred)]
        shape = tuple(keras.ops.shape(loss.make(None).call(*arrays)))
        if shape != ():
            raise Fails("call gives shape {}, with reduction=None the loss is a scalar", shape)
        raise DoesNotApply("it is a scalar: there is nothing left to reduce")
    expected = {"sum": loss.values.sum(), "sum_over_batch_size": loss.values.mean()}
    for reduction, right in expected.items():
        value = loss.make(reduction)(task.y_true, task.y_pred)
        if differs_by(value, right):
            raise Fails("reduction={!r} gives {}, must be {:.5g}", reduction, shown(value), right)
    return say("sum and mean are those of the losses per example")


@check("loss")
def weights_each_sample(loss: LossSubject) -> str:
    """A sample weight multiplies the loss of that example and no other."""
    task = loss.data
    if loss.is_scalar:
        raise Warns("it is one number for the batch: weights cannot tell examples apart")
    weights = np.linspace(0, 2, BATCH).astype("float32")
    with failing(say("sample_weight of shape ({},)", BATCH)):
        value = loss.make("sum")(task.y_true, task.y_pred, sample_weight=weights)
    expected = float((loss.values.T * weights).sum())
    if differs_by(value, expected):
        raise Fails("weighted sum {}, must be {:.5g}", shown(value), expected)
    return say("weighted sum {}, unweighted {}", shown(value), shown(loss.values.sum()))
