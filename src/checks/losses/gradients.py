"""Checks of a loss's gradient: that there is one, that it is right, that it stays finite."""

import numpy as np

from src.checks.closeness import differs_by, shown
from src.checks.language import say, translated
from src.checks.losses.subject import LossSubject
from src.checks.messages import one_line
from src.checks.registry import Fails, Warns, check

_STEP = {"float64": 1e-6, "float32": 4e-3}
_TOLERANCE = {"float64": 1e-4, "float32": 4e-2}
_DIRECTIONS = 12


@check("loss")
def has_a_gradient(loss: LossSubject) -> str:
    """The gradient by the predictions exists and is not zero."""
    _, gradient = loss.value_and_gradient(loss.data.y_true, loss.data.y_pred)
    if not np.any(gradient != 0):
        raise Fails("the gradient is 0 for every prediction")
    return say("gradient {}", shown(gradient))


@check("loss")
def gradient_is_that_of_the_value(loss: LossSubject) -> str:
    """The gradient agrees with finite differences of the value."""
    task = loss.data
    dtype = "float64" if _computes_in_float64(loss) else "float32"
    y_pred = task.y_pred.astype(dtype)
    _, gradient = loss.value_and_gradient(task.y_true, y_pred)
    directions = np.random.default_rng(1).choice([-1.0, 1.0], (_DIRECTIONS, *y_pred.shape))
    made = loss.make(None, dtype=dtype)
    wrong = []
    for index, direction in enumerate(directions):
        direction[np.arange(len(y_pred)) % 4 != index % 4] = 0  # a quarter of the examples
        step = (_STEP[dtype] * direction * np.minimum(y_pred, 1)).astype(dtype)
        ends = [np.asarray(made(task.y_true, y_pred + s), "float64").sum() for s in (step, -step)]
        expected, slope = (ends[0] - ends[1]) / 2, float((gradient * step).sum())
        size = max(np.abs(gradient * step).sum(), 1e-12)
        if not abs(expected - slope) <= _TOLERANCE[dtype] * size:
            wrong.append((slope / _STEP[dtype], expected / _STEP[dtype]))
    if len(wrong) > 2:  # a kink may lie on the way once
        slope, expected = wrong[0]
        raise Fails(
            "in {} of {} directions the gradient differs from finite differences, for "
            "example {:.5g} against {:.5g}",
            len(wrong),
            _DIRECTIONS,
            slope,
            expected,
        )
    agreeing = _DIRECTIONS - len(wrong)
    return say(
        "agrees with finite differences in {} of {} directions ({})", agreeing, _DIRECTIONS, dtype
    )


def _computes_in_float64(loss: LossSubject) -> bool:
    try:
        value, _ = loss.value_and_gradient(loss.data.y_true, loss.data.y_pred.astype("float64"))
    except Exception:  # made for float32 alone, which works_in_float16 speaks about
        return False
    return bool(value.dtype == np.float64)


@check("loss")
def finite_when_saturated(loss: LossSubject) -> str:
    """Value and gradient are finite at predictions of exactly 0 and 1, or logits of 0 and +-100."""
    task = loss.data
    scale = translated(loss.scale)
    right, wrong = task.right_and_wrong(loss.scale, sureness=1.0)
    target = task.target.astype(right.dtype)
    predictions = {
        say("surely right"): right,
        say("surely wrong"): wrong,
        say("exactly the labels'"): target,
    }
    if loss.scale == "logits":
        zeros, tiny = np.zeros_like(right), np.full_like(right, 1e-20)
        predictions |= {say("all-zero"): zeros, say("tiny"): tiny}
    for what, y_pred in predictions.items():
        value, gradient = loss.value_and_gradient(task.y_true, y_pred)
        for name, array in ((say("value"), value), (say("gradient"), gradient)):
            if not np.isfinite(array).all():
                bad = array[~np.isfinite(array)][0]
                raise Fails("{} {} at {} {}, {}", name, bad, what, scale, shown(y_pred[0]))
    return say("finite at surely right and surely wrong {}", scale)


@check("loss")
def works_in_float16(loss: LossSubject) -> str:
    """With dtype float16 the value is near that of float32, and finite for logits of +-12."""
    task = loss.data
    far = loss.scale == "logits" and task.form not in ("numbers", "labels")
    sure = task.predicting(task.wrong(), loss.scale) * np.float32(4 if far else 1)
    for y_pred in (task.y_pred, sure):
        single, _ = loss.value_and_gradient(task.y_true, y_pred)
        try:
            half, gradient = loss.value_and_gradient(task.y_true, y_pred.astype("float16"))
        except Exception as error:
            raise Warns(
                "dtype='float16' raises {}. Under mixed_float16 Keras hands losses float32, so "
                "that this shows only where it is asked for",
                one_line(error),
            ) from error
        if not np.isfinite(half).all() or not np.isfinite(gradient).all():
            raise Fails("not finite in float16 at {}: {}", shown(y_pred[0]), shown(half))
        if differs_by(single, half, 2e-2):
            raise Fails("float16 gives {}, float32 {}", shown(half), shown(single))
    return say("float16 agrees with float32 within 2 %")
