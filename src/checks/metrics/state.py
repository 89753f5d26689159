"""Checks of a metric's state: forgotten at a reset, held in variables, of one instance alone."""

from typing import Any

import numpy as np
import tensorflow as tf

from src.checks.closeness import as_vector, differs_by, shown
from src.checks.language import say
from src.checks.metrics.subject import MetricSubject
from src.checks.registry import Fails, check


@check("metric")
def takes_labels_and_predictions(metric: MetricSubject) -> str:
    """It takes labels and predictions in one of the usual forms and gives finite numbers."""
    return say("takes {}", metric.require_data().what)


@check("metric")
def result_is_a_scalar(metric: MetricSubject) -> str:
    """The result is a scalar or a dict of scalars."""
    result = metric.updated(metric.batches[0]).result()
    parts = result if isinstance(result, dict) else {"result": result}
    for name, part in parts.items():
        shape = tuple(tf.convert_to_tensor(part).shape)
        if shape != ():
            raise Fails("{} has shape {}", name, shape)
    return say("{} scalars", len(parts)) if isinstance(result, dict) else f"{shown(result)}"


@check("metric")
def result_follows_the_predictions(metric: MetricSubject) -> str:
    """Right and wrong predictions give different results."""
    results = [metric.value(batch) for batch in metric.batches]
    if metric.data.form != "values":
        results += metric.values_right_and_wrong(metric.data)
    if all(differs_by(results[0], result, 1e-6) is None for result in results[1:]):
        raise Fails("{} for right and wrong predictions alike", shown(results[0]))
    return say(" and ").join(dict.fromkeys(shown(result) for result in results[-2:]))


@check("metric")
def reset_state_forgets_everything(metric: MetricSubject) -> str:
    """After `reset_state` it is as new."""
    first, second = metric.batches
    used = metric.updated(first, first)
    used.reset_state()
    used.update_state(*second)
    seen, expected = used.result(), metric.value(second)
    if differs_by(seen, expected):
        raise Fails("after a reset and one batch {}, a new metric {}", shown(seen), shown(expected))
    return say("{} as a new one; {} variables set back", shown(seen), len(used.variables))


@check("metric")
def state_is_in_variables(metric: MetricSubject) -> str:
    """Updates change variables made with `add_weight` and nothing else."""
    batch, other = metric.batches
    used = metric.updated(batch)
    stray = [name for name, value in vars(used).items() if isinstance(value, tf.Variable)]
    if stray:
        raise Fails("{}: tf.Variable, which Keras does not know of", ", ".join(stray))
    if not used.variables:
        raise Fails("it has no variables")
    attributes = {name: _fingerprint(value) for name, value in vars(used).items()}
    before = [np.array(v) for v in used.variables]
    used.update_state(*other)
    changed = [
        name for name, value in vars(used).items() if _fingerprint(value) != attributes[name]
    ]
    if changed:
        raise Fails("an update changed the Python attribute {}", ", ".join(changed))
    pairs = zip(before, used.variables, strict=True)
    moved = [not np.array_equal(old, np.array(variable)) for old, variable in pairs]
    if not any(moved):
        raise Fails("an update changed none of its variables")
    return say("{} of {} variables change, no Python attribute does", sum(moved), len(moved))


@check("metric")
def instances_share_nothing(metric: MetricSubject) -> str:
    """Updating one instance leaves another as it was."""
    batch, other = metric.batches
    expected = metric.value(batch)
    bystander = metric.make()
    metric.updated(other, other)
    seen = metric.output(bystander)
    if differs_by(seen, expected):
        raise Fails(
            "after another instance was updated it gives {}, before {}",
            shown(seen),
            shown(expected),
        )
    return say("{}, whatever another instance saw", shown(expected))


def _fingerprint(value: Any) -> Any:
    """The content of an attribute, comparable; an object counts by its type alone."""
    if isinstance(value, bool | int | float | str | bytes | type(None)):
        return value
    if isinstance(value, list | tuple | set):
        return type(value).__name__, tuple(_fingerprint(part) for part in value)
    if isinstance(value, dict):
        return tuple((str(key), _fingerprint(part)) for key, part in value.items())
    if isinstance(value, np.ndarray | np.generic):
        return value.tobytes()
    if isinstance(value, tf.Tensor):
        return as_vector(value).tobytes() if hasattr(value, "numpy") else "symbolic"
    return type(value).__name__
