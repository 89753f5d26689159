"""A layer that is being checked: new ones on demand, and the inputs that it takes."""

from __future__ import annotations

import functools
import inspect
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from src.checks.closeness import differs_by
from src.checks.registry import DoesNotApply
from src.checks.subject import Subject, in_graph

BATCH, STEPS = 4, 5


@dataclass(frozen=True)
class Inputs:
    """The inputs of a layer.

    Attributes:
        what: in words.
        arrays: one an argument of `call`, or the parts of a list.
        as_list: whether the arrays go in as one list.
    """

    what: str
    arrays: tuple[Any, ...]
    as_list: bool = False

    @property
    def form(self) -> str:
        """The inputs by name."""
        return self.what

    def given(self, arrays: Any) -> tuple[Any, ...]:
        """The arguments of a call, made of these arrays or of symbols in their place."""
        return (list(arrays),) if self.as_list else tuple(arrays)

    def holding(self, arrays: Any) -> Inputs:
        """The same with other arrays."""
        return replace(self, arrays=tuple(arrays))

    def symbols(self) -> list[Any]:
        """Symbolic inputs, batch size unknown."""
        return [keras.Input(a.shape[1:], dtype=a.dtype.name) for a in self.arrays]


_SHAPES = {
    "vectors": (6,),
    "sequences": (STEPS, 6),
    "images": (8, 8, 3),
    "volumes": (6, 6, 6, 3),
    "sequences of volumes": (3, 4, 4, 4, 2),
}


def candidates(arguments: int = 1, shape: tuple[int, ...] | None = None) -> list[Inputs]:
    """Inputs to try, the simplest first.

    Args:
        arguments: how many `call` needs.
        shape: of one example, where it is known.
    """
    generator = np.random.default_rng(0)

    def floats(*shape: int) -> tf.Tensor:
        return tf.constant(generator.uniform(0.05, 0.95, (BATCH, *shape)), tf.float32)

    found = []
    shapes = _SHAPES if shape is None else {"inputs": shape}
    for name, size in shapes.items():
        what = f"{name} (batch, {', '.join(map(str, size))})"
        if arguments == 1:
            found.append(Inputs(what, (floats(*size),)))
    if arguments == 1 and shape is None:
        integers = tf.constant(generator.integers(0, 4, (BATCH, STEPS)), tf.int32)
        found.append(Inputs(f"integers (batch, {STEPS})", (integers,)))
        texts = tf.constant([["one two"], ["two"], ["three"], ["one"]])
        found.append(Inputs("texts (batch, 1)", (texts,)))
    for name, size in shapes.items():
        count = max(arguments, 2)
        what = f"{count} {name} (batch, {', '.join(map(str, size))})"
        arrays = tuple(floats(*size) for _ in range(count))
        found.append(Inputs(what, arrays, as_list=arguments == 1))
    return found


class LayerSubject(Subject[Inputs]):
    """A layer under check."""

    first_check = "can_be_called"
    refusal = "it took none of the inputs tried. "
    parameters: frozenset[str] = frozenset()
    """No constructor arguments are compared with a loaded copy: `config_round_trips` does that."""

    def forms(self) -> list[Inputs]:
        """The usual inputs, as many as `call` needs."""
        return candidates(self._needed(), self.recipe.input_shape)

    def tried(self, form: Inputs) -> np.ndarray:
        """Whether the layer can be called; its output may be anything."""
        self.called(self.make(), form)
        return np.ones(1)

    def suits(self, form: Inputs) -> bool:
        """Whether the layer takes these in training and in a model too."""
        layer = self.make()
        try:
            eager = self.called(layer, form, training=True)
            symbolic = layer(*form.given(form.symbols()))
        except Exception:
            return False
        ranks = [len(part.shape) for part in tf.nest.flatten(eager)]
        return ranks == [len(part.shape) for part in tf.nest.flatten(symbolic)]

    def _needed(self) -> int:
        """The number of arguments that `call` needs."""
        parameters = list(inspect.signature(self.make().call).parameters.values())
        kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        required = [p for p in parameters if p.kind in kinds and p.default is p.empty]
        return max(len({p.name for p in required} - {"training", "mask"}), 1)

    def takes(self, layer: Any, name: str) -> bool:
        """Whether the layer's `call` has an argument of that name."""
        return name in inspect.signature(layer.call).parameters

    def called(
        self, layer: Any, inputs: Inputs | None = None, *, training: bool = False, **keywords: Any
    ) -> Any:
        """The layer's output.

        Args:
            layer: made by `make`.
            inputs: other than those found.
            training: handed on where `call` takes it.
            **keywords: of the call.
        """
        inputs = inputs or self.data
        if self.takes(layer, "training"):
            keywords["training"] = training
        return layer(*inputs.given(inputs.arrays), **keywords)

    def built(self) -> Any:
        """A new layer that has been called once."""
        layer = self.make()
        self.called(layer)
        return layer

    @functools.cached_property
    def ready(self) -> Any:
        """A layer that has been called, for checks that only look at it."""
        return self.built()

    @functools.cached_property
    def model(self) -> Any:
        """A functional model of the ready layer alone, batch size unknown; nothing changes it."""
        symbols = self.data.symbols()
        return keras.Model(symbols, self.ready(*self.data.given(symbols)))

    def in_saved_model(self) -> tuple[Any, Any, Any]:
        """The layer, the model to save, and its inputs."""
        return self.ready, self.model, list(self.data.arrays)

    def outputs_differ(self, made: Any, copy: Any) -> bool:
        """Whether a copy with the same weights gives another output."""
        first, again = self.called(made), self.called(made)
        if differs_by(first, again):  # it keeps a state from call to call
            return False
        self.called(copy)
        copy.set_weights(made.get_weights())
        return differs_by(first, self.called(copy), 1e-3) is not None

    def graph_output(self, jit_compile: bool) -> tuple[Any, Any]:
        """The output in a graph, and eagerly."""
        if jit_compile and not self.ready.supports_jit:
            raise DoesNotApply("supports_jit is False")
        if jit_compile and any(array.dtype == tf.string for array in self.data.arrays):
            raise DoesNotApply("XLA knows no texts")

        def call(*arrays: tf.Tensor) -> Any:
            return self.called(self.ready, self.data.holding(arrays))

        eager = self.called(self.ready)
        return in_graph(call, self.data.arrays, jit_compile)(*self.data.arrays), eager


def has_float_output(outputs: Any) -> bool:
    """Whether all outputs are floats, so that there are gradients and precisions."""
    return all(tf.as_dtype(part.dtype).is_floating for part in tf.nest.flatten(outputs))
