"""A layer that is being checked: new ones on demand, and the inputs that it takes."""

from __future__ import annotations

import functools
import inspect
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from src.checks.construct import Recipe
from src.checks.messages import one_line
from src.checks.registry import DoesNotApply, Fails

BATCH, STEPS = 4, 5


@dataclass(frozen=True)
class Inputs:
    """What a layer is called on.

    Attributes:
        what: in words.
        arrays: one an argument of `call`, or the parts of a list.
        as_list: whether the arrays go in as one list.
    """

    what: str
    arrays: tuple[Any, ...]
    as_list: bool = False

    def given(self, arrays: Any) -> tuple[Any, ...]:
        """The arguments of a call, made of these arrays or of symbols in their place."""
        return (list(arrays),) if self.as_list else tuple(arrays)

    def rows(self, count: int) -> tuple[tf.Tensor, ...]:
        """The arrays with another batch size."""
        return tuple(tf.concat([a] * 3, axis=0)[:count] for a in self.arrays)

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


class LayerSubject:
    """A layer under check.

    Args:
        recipe: how it is made.
    """

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe

    def make(self, **changes: Any) -> Any:
        """A new layer, not built.

        Args:
            **changes: other constructor arguments.
        """
        return self.recipe.make(**changes)

    @functools.cached_property
    def found(self) -> Inputs | str:
        """The first inputs that it takes, or how it refused them."""
        refusals: list[str] = []
        taken: list[Inputs] = []
        for inputs in candidates(self._needed(), self.recipe.input_shape):
            try:
                self.called(self.make(), inputs=inputs)
            except Exception as error:  # the component's own, of any kind
                refusals.append(f"{inputs.what}: {one_line(error)}")
                continue
            if self._fits(inputs):
                return inputs
            taken.append(inputs)
        return taken[0] if taken else "; ".join(dict.fromkeys(refusals))

    def _fits(self, inputs: Inputs) -> bool:
        """Whether the layer takes these in training and in a model too."""
        layer = self.make()
        try:
            eager = self.called(layer, training=True, inputs=inputs)
            symbolic = layer(*inputs.given(inputs.symbols()))
        except Exception:
            return False
        ranks = [len(part.shape) for part in tf.nest.flatten(eager)]
        return ranks == [len(part.shape) for part in tf.nest.flatten(symbolic)]

    def _needed(self) -> int:
        """How many arguments `call` must have."""
        parameters = list(inspect.signature(self.make().call).parameters.values())
        kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        required = [p for p in parameters if p.kind in kinds and p.default is p.empty]
        names = {p.name for p in required} - {"training", "mask"}
        return max(len(names), 1)

    @property
    def inputs(self) -> Inputs:
        """The inputs that it takes."""
        if isinstance(self.found, str):
            raise DoesNotApply("it cannot be called, see can_be_called")
        return self.found

    def refused(self) -> None:
        """Raises `Fails` where it takes no inputs at all."""
        if isinstance(self.found, str):
            raise Fails(f"it took none of the inputs tried. {self.found}")

    def takes(self, layer: Any, name: str) -> bool:
        """Whether the layer's `call` has an argument of that name."""
        return name in inspect.signature(layer.call).parameters

    def called(
        self,
        layer: Any,
        *,
        training: bool = False,
        inputs: Inputs | None = None,
        arrays: Any = None,
        **keywords: Any,
    ) -> Any:
        """The layer's output.

        Args:
            layer: made by `make`.
            training: handed on where `call` takes it.
            inputs: other than those found.
            arrays: in place of those of the inputs.
            **keywords: of the call.
        """
        inputs = inputs or self.inputs
        if self.takes(layer, "training"):
            keywords["training"] = training
        return layer(*inputs.given(inputs.arrays if arrays is None else arrays), **keywords)

    def built(self, **changes: Any) -> Any:
        """A new layer that has been called once."""
        layer = self.make(**changes)
        self.called(layer)
        return layer

    @functools.cached_property
    def ready(self) -> Any:
        """A layer that has been called, for checks that only look at it."""
        return self.built()

    @functools.cached_property
    def in_model(self) -> tuple[Any, Any]:
        """A layer and a functional model of it alone, batch size unknown; neither is changed."""
        layer, symbols = self.ready, self.inputs.symbols()
        return layer, keras.Model(symbols, layer(*self.inputs.given(symbols)))

    def has_float_output(self, outputs: Any) -> bool:
        """Whether all outputs are floats, so that there are gradients and precisions."""
        return all(tf.as_dtype(part.dtype).is_floating for part in tf.nest.flatten(outputs))
