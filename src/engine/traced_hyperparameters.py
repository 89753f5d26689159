"""Hyperparameters of a loss that a shared graph holds in variables, so that runs share it.

A loss that is not declared below stays in the key of its graph with all its arguments: each value
is traced anew. A declared loss reads its hyperparameters by ``self.<name>`` and does the same
operations whatever their values are; while a graph is traced a variable stands in each one's place.

A subclass inherits the declaration while it computes by the declared methods: with its own ``call``
it may do anything with the values, so it counts as not declared.
"""

import inspect
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from hydra.utils import get_object

from src import components
from src.engine.build import build, resolve_auto


@dataclass(frozen=True)
class Declaration:
    """Attributes that the methods of a loss read.

    Attributes:
        traced: floats or lists of floats, held in variables; one that is None is not.
        fixed: stay in the key with their values, since the operations depend on them.
        inner: argument and attribute that hold another loss, which this one calls.
    """

    traced: tuple[str, ...]
    fixed: tuple[str, ...] = ()
    inner: str | None = None


DECLARED: Mapping[type[keras.losses.Loss], Declaration] = {
    components.SparseCategoricalFocalLoss: Declaration(("gamma", "alpha"), ("from_logits",)),
    components.BinaryFocalLoss: Declaration(("gamma", "alpha"), ("from_logits",)),
    components.ClassWeightedCrossentropy: Declaration(("class_weights",)),
    components.ClassBalancedFocalLoss: Declaration(("gamma", "class_weights")),
    components.LogitAdjustedCrossentropy: Declaration(("adjustments",)),
    components.LDAMLoss: Declaration(("scale", "margins")),
    components.AsymmetricLoss: Declaration(("gamma_pos", "gamma_neg", "margin")),
    components.PolyCrossentropy: Declaration(("epsilon",)),
    components.GeneralizedCrossentropy: Declaration(("q",)),
    components.LabelSmoothingCrossentropy: Declaration(("smoothing",)),
    components.SoftMacroF1Loss: Declaration(()),
    components.DeferredReweighting: Declaration(("class_weights",), inner="loss"),
}
DTYPES = ("float32", "float64")
"""Losses of these types have variables: what TensorFlow makes of a Python float."""
NOT_COMPUTING = ("__init__", "get_config")
Values = dict[str, float | list[float]]


def loss_key(node: Mapping[str, Any], arguments: Mapping[str, Any]) -> Any:
    """All that the operations of a loss depend on, for the key of its graph.

    Args:
        node: the ``loss.fn`` node of a resolved config.
        arguments: what ``auto`` means, by argument name.

    Returns:
        The node; for a declared loss its class, and the shapes of what variables hold.

    Raises:
        UserError: where a declared loss refuses its arguments.
    """
    resolved = resolve_auto(node, arguments)
    if _declared_class(_target(node)) is None:
        return resolved
    return _key(build(node, "loss.fn", arguments), resolved)


def _key(loss: Any, resolved: Mapping[str, Any]) -> Any:
    declared, values = _traced_values(loss)
    if declared is None:
        return resolved
    fixed = [getattr(loss, name) for name in DECLARED[declared].fixed]
    shapes = {name: np.shape(value) for name, value in values.items()}
    inner = DECLARED[declared].inner
    within = _key(getattr(loss, inner), resolved[inner]) if inner else None
    return [declared.__name__, loss.reduction, loss.dtype, fixed, shapes, within]


def _traced_values(loss: Any) -> tuple[type[keras.losses.Loss] | None, Values]:
    """The declared class of a loss, and its values for variables; None where there are none."""
    declared = _declared_class(type(loss))
    if declared is None or loss.dtype not in DTYPES:
        return None, {}
    own, names = vars(loss), DECLARED[declared].traced
    if not own.keys() >= set(names):  # such as a property of a subclass, which no variable replaces
        return None, {}
    values = {name: own[name] for name in names if own[name] is not None}
    return (declared, values) if values else (None, {})


def _traced_parts(loss: Any) -> list[tuple[Any, Values]]:
    """A loss and the one within it, each with its traced values; none undeclared."""
    declared, values = _traced_values(loss)
    if declared is None:
        return []
    inner = DECLARED[declared].inner
    return [(loss, values), *(_traced_parts(getattr(loss, inner)) if inner else [])]


def _declared_class(kind: Any) -> type[keras.losses.Loss] | None:
    """The declared class by whose methods a class computes."""
    if not isinstance(kind, type):
        return None
    for declared in DECLARED:
        if issubclass(kind, declared):
            own = [name for name, value in vars(declared).items() if inspect.isfunction(value)]
            computing = {"__call__", *own}.difference(NOT_COMPUTING)
            if all(getattr(kind, name) is getattr(declared, name) for name in computing):
                return declared
    return None


def _target(node: Mapping[str, Any]) -> Any:
    """The target of a node; None where it cannot be found, which building it will say."""
    try:
        return get_object(node["_target_"])
    except Exception:
        return None


class TracedHyperparameters:
    """The variables that stand for hyperparameters of the loss of a graph's model.

    Args:
        model: compiled; the graph's own.
    """

    def __init__(self, model: keras.Model) -> None:
        self._model = model
        self._loss = model.loss
        self._parts = [
            (part, {name: _variable(value, part.dtype) for name, value in values.items()})
            for part, values in _traced_parts(self._loss)
        ]

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """The loss has variables for hyperparameters: the graph is traced within."""
        own = [(part, {name: vars(part)[name] for name in held}) for part, held in self._parts]
        try:
            for part, held in self._parts:
                vars(part).update(held)
            yield
        finally:
            for part, values in own:
                vars(part).update(values)

    def load(self, loss: Any) -> None:
        """Takes over the hyperparameters of another loss; the model's own becomes like it.

        Args:
            loss: of a run with the same :func:`loss_key`.
        """
        if not self._parts:
            return
        for (_, held), (_, values) in zip(self._parts, _traced_parts(loss), strict=True):
            for name, value in values.items():
                held[name].assign(value)
        # A variable of the loss itself stays, for the graph reads it.
        own = {k: v for k, v in vars(loss).items() if not isinstance(v, keras.Variable)}
        vars(self._loss).update(own)
        # Keras's own functions, if a callback had them traced, hold the values of another run.
        self._model.train_function = self._model.test_function = None


def _variable(value: float | list[float], dtype: str) -> tf.Variable:
    return tf.Variable(np.asarray(value, dtype), trainable=False)
