"""A layer that is being checked: new ones on demand, and the inputs that it takes."""

import functools
import inspect
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Self

import keras
import numpy as np
import tensorflow as tf

from src.checks.closeness import differs_by
from src.checks.language import marked, say, translated
from src.checks.registry import DoesNotApply
from src.checks.subject import Subject, in_graph

BATCH, STEPS = 4, 5


@dataclass(frozen=True)
class Inputs:
    """The inputs of a layer.

    Attributes:
        what: in words.
        arguments: of `call`: tensors, or one list of them.
        labelled: whether the second is labels.
    """

    what: str
    arguments: tuple[Any, ...]
    labelled: bool = False

    @property
    def form(self) -> str:
        """The inputs by name."""
        return self.what

    @property
    def arrays(self) -> list[Any]:
        """The tensors in the arguments."""
        return tf.nest.flatten(self.arguments)

    def holding(self, arrays: Iterable[Any]) -> Self:
        """The same with other tensors, or with shapes in their place."""
        return replace(self, arguments=tf.nest.pack_sequence_as(self.arguments, list(arrays)))

    def symbolic(self) -> Self:
        """The same with symbols, batch size unknown."""
        return self.holding(keras.Input(a.shape[1:], dtype=a.dtype.name) for a in self.arrays)


_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
_SHAPES = {
    marked("vectors"): (6,),
    marked("sequences"): (STEPS, 6),
    marked("images"): (8, 8, 3),
    marked("volumes"): (6, 6, 6, 3),
    marked("sequences of volumes"): (3, 4, 4, 4, 2),
}


def candidates(arguments: int = 1, shape: tuple[int, ...] | None = None) -> Iterator[Inputs]:
    """Inputs to try, the simplest first.

    Args:
        arguments: how many `call` needs.
        shape: of one example, where it is known.
    """
    generator = np.random.default_rng(0)

    def floats(*shape: int) -> tf.Tensor:
        return tf.constant(generator.uniform(0.05, 0.95, (BATCH, *shape)), tf.float32)

    shapes = _SHAPES if shape is None else {marked("inputs"): shape}
    names = {
        f"{translated(name)} (batch, {', '.join(map(str, size))})": size
        for name, size in shapes.items()
    }
    if arguments == 1:
        for name, size in names.items():
            yield Inputs(name, (floats(*size),))
        if shape is None:
            integers = tf.constant(generator.integers(0, 4, (BATCH, STEPS)), tf.int32)
            yield Inputs(say("integers (batch, {})", STEPS), (integers,))
            texts = tf.constant([["one two"], ["two"], ["three"], ["one"]])
            yield Inputs(say("texts (batch, 1)"), (texts,))
    count = max(arguments, 2)
    for name, size in names.items():
        arrays = [floats(*size) for _ in range(count)]
        yield Inputs(f"{count} {name}", (arrays,) if arguments == 1 else tuple(arrays))
    if count == 2:
        labels = tf.constant(np.arange(BATCH) % 3, tf.int32)
        for what, given in {
            "(batch,)": labels,
            "(batch, 1)": labels[:, None],
            "one-hot (batch, 3)": tf.one_hot(labels, 3),
        }.items():
            for name, size in names.items():
                arrays = [floats(*size), given]
                says = say("{} and labels {}", name, what)
                both = (arrays,) if arguments == 1 else tuple(arrays)
                yield Inputs(says, both, labelled=True)


class LayerSubject(Subject[Inputs]):
    """A layer under check."""

    first_check = "can_be_called"
    refusal = marked("it took none of the inputs tried. ")
    parameters: frozenset[str] = frozenset()
    """No constructor arguments are compared with a loaded copy: `config_round_trips` does that."""

    def forms(self) -> Iterator[Inputs]:
        """The usual inputs, as many as `call` needs."""
        parameters = inspect.signature(self.make().call).parameters.values()
        needed = {p.name for p in parameters if p.default is p.empty and p.kind in _POSITIONAL}
        return candidates(max(len(needed - {"training", "mask"}), 1), self.recipe.input_shape)

    def tried(self, form: Inputs) -> np.ndarray:
        """Whether the layer can be called; its output may be anything."""
        self.called(self.make(), form)
        return np.ones(1)

    def suits(self, form: Inputs) -> bool:
        """Whether the layer takes these in training and in a model too."""
        layer = self.make()
        try:
            eager = self.called(layer, form, training=True)
            symbolic = layer(*form.symbolic().arguments)
        except Exception:
            return False
        ranks = [len(part.shape) for part in tf.nest.flatten(eager)]
        return ranks == [len(part.shape) for part in tf.nest.flatten(symbolic)]

    def takes(self, layer: Any, name: str) -> bool:
        """Whether the layer's `call` has an argument of that name."""
        return name in inspect.signature(layer.call).parameters

    def called(
        self, layer: Any, inputs: Inputs | None = None, *, training: bool = False, **keywords: Any
    ) -> Any:
        """The layer's output, for the inputs found unless given; `training` where it is taken."""
        inputs = inputs or self.data
        if self.takes(layer, "training"):
            keywords["training"] = training
        return layer(*inputs.arguments, **keywords)

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
        symbols = self.data.symbolic()
        return keras.Model(symbols.arrays, self.ready(*symbols.arguments))

    def in_saved_model(self) -> tuple[Any, Any, Any]:
        """The layer, the model to save, and its inputs."""
        return self.ready, self.model, self.data.arrays

    @functools.cached_property
    def is_random(self) -> bool:
        """Whether two calls outside of training differ, so that no two outputs can be compared."""
        made = self.built()
        return differs_by(self.called(made), self.called(made), 1e-6) is not None

    def differ(self, first: Any, second: Any, tolerance: float = 1e-4) -> bool:
        """Whether two outputs differ; of a random layer their shapes are compared."""
        if self.is_random:
            shapes = ([part.shape for part in tf.nest.flatten(value)] for value in (first, second))
            return next(shapes) != next(shapes)
        return differs_by(first, second, tolerance) is not None

    def outputs_differ(self, made: Any, copy: Any) -> bool:
        """Whether a copy with the same weights gives another output."""
        output = self.called(made)
        self.called(copy)
        copy.set_weights(made.get_weights())
        differs = self.differ(output, self.called(copy), 1e-3)
        # One that keeps a state from call to call differs from itself.
        return differs and not self.differ(output, self.called(made))

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
