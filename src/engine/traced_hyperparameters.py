"""The numbers of a loss, held in variables of a graph: runs that differ in them share it.

A loss takes part by a method ``graph_numbers()``. It returns, by the name of the attribute in which
``call`` finds it, each float or list of floats for which ``call`` does the same operations whatever
its value is. While a graph is traced a variable of its shape stands in the attribute's place:
float32 or, for a loss of that dtype, float64. What ``graph_numbers()`` leaves out, such as a margin
of 0 to which other operations belong, stays in the key of the graph with its value.

A constructor argument of the same name is then no part of the key. Others that ``call`` uses
through these numbers alone stand in the class attribute ``only_in_graph_numbers``, as
``class_counts`` for weights that are computed from them.

It is asked of the class itself, not of what it inherits from: a class that computes something else
from ``gamma`` says anew what may be shared.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from hydra.utils import get_object

from src.engine.build import build, fill

Numbers = Mapping[str, float | list[float]]


def loss_key(node: Mapping[str, Any], facts: Mapping[str, Any]) -> Any:
    """What the operations of a loss are made from.

    Args:
        node: the ``loss.fn`` node of a resolved config.
        facts: what ``auto`` means, by argument name.

    Returns:
        The node, or for a loss that has numbers what is left of it without them, and their shapes.

    Raises:
        UserError: where such a loss refuses its arguments.
    """
    filled = fill(node, facts)
    if not _has_numbers(_target(node)):
        return filled
    loss = build(node, "loss.fn", facts)
    numbers = loss.graph_numbers()
    left_out = {*numbers, *getattr(loss, "only_in_graph_numbers", ())}
    rest = {name: value for name, value in filled.items() if name not in left_out}
    return {"fn": rest, "numbers": {name: np.shape(value) for name, value in numbers.items()}}


class LossNumbers:
    """The numbers of the loss of a graph's model.

    Args:
        model: compiled; the graph's own.
    """

    def __init__(self, model: keras.Model) -> None:
        self._model = model
        self._loss = model.loss
        numbers = numbers_of(self._loss)
        # As TensorFlow would make a constant of a Python float in the loss.
        dtype = np.float64 if getattr(self._loss, "dtype", None) == "float64" else np.float32
        self._variables = {
            name: tf.Variable(np.asarray(value, dtype), trainable=False)
            for name, value in numbers.items()
        }

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Where the loss has variables for numbers: the graph is traced within."""
        own = {name: getattr(self._loss, name) for name in self._variables}
        try:
            vars(self._loss).update(self._variables)
            yield
        finally:
            vars(self._loss).update(own)

    def load(self, loss: Any) -> None:
        """Takes over the numbers of another loss; the model's own becomes like it.

        Args:
            loss: of a run with the same :func:`loss_key`.
        """
        if not self._variables:
            return
        for name, value in numbers_of(loss).items():
            self._variables[name].assign(value)
        vars(self._loss).update(vars(loss))
        # Keras's own functions, if a callback had them traced, hold the numbers of another run.
        self._model.train_function = self._model.test_function = None

    def are_read_by(self, function: Any) -> bool:
        """Whether a traced function looks at each of them: else they are not what it depends on."""
        read = {id(tensor) for tensor in function.captured_inputs}
        return all(id(variable.handle) in read for variable in self._variables.values())


def numbers_of(loss: Any) -> Numbers:
    """The numbers of a loss by attribute; none where its class does not name them."""
    return loss.graph_numbers() if _has_numbers(type(loss)) else {}


def _has_numbers(kind: Any) -> bool:
    return isinstance(kind, type) and "graph_numbers" in vars(kind)


def _target(node: Mapping[str, Any]) -> Any:
    """What a node's target is; None where building it will say what is wrong."""
    try:
        return get_object(node["_target_"])
    except Exception:
        return None
