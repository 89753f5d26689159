"""A component under check, as the checks of every kind see it."""

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar, Generic, TypeVar

import keras
import numpy as np
import tensorflow as tf

from src.checks.closeness import differs_by
from src.checks.construct import Recipe
from src.checks.language import translated
from src.checks.messages import keras3, one_line
from src.checks.registry import DoesNotApply, Fails

Data = TypeVar("Data")


class Subject(Generic[Data]):
    """A component under check."""

    first_check: ClassVar[str]
    """The check that fails where no data fit; all others do not apply then."""
    refusal: ClassVar[str] = ""
    """The words before the reasons why each form of data was refused."""

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe

    def make(self, **changes: Any) -> Any:
        """A new component, of constructor arguments that differ so from the recipe's."""
        return self.recipe.make(**changes)

    def forms(self) -> Iterable[Any]:
        """Data to try, each with a `form` (its name) and a `what` (in words)."""
        raise NotImplementedError

    def tried(self, form: Data) -> np.ndarray:
        """The component's values for a form, which is taken where they are finite."""
        raise NotImplementedError

    def suits(self, form: Data) -> bool:
        """Whether a form that is taken is the component's own, and no other need be tried."""
        del form
        return True

    def find_data(self) -> Data:
        """The first form that suits the component, else the first that it takes.

        Raises:
            Fails: it takes none; the message says how it refused each.
        """
        refusals: dict[str, str] = {}
        taken: list[Data] = []
        mend = ""
        for form in self.forms():
            said = ""
            try:
                value = self.tried(form)
                if not (value.size and np.isfinite(value).all()):
                    said = str(value[:3])
                elif self.suits(form):
                    return form
                else:
                    taken.append(form)
            except Exception as error:  # the component's own, of any kind
                said, mend = one_line(error), mend or keras3(error)
            if not any(one.endswith(f": {said}") for one in refusals.values()):
                refusals.setdefault(form.form, f"{form.what}: {said}")
        if taken:
            return taken[0]
        raise Fails(translated(self.refusal) + "; ".join(refusals.values()), mend=mend)

    @functools.cached_property
    def _found(self) -> Data | Fails:
        try:
            return self.find_data()
        except Fails as failure:
            return failure
        except (Exception, SystemExit) as error:  # it cannot even be made
            return Fails(one_line(error), mend=keras3(error))

    @property
    def data(self) -> Data:
        """The data that the component takes."""
        if isinstance(self._found, Fails):
            raise DoesNotApply("it cannot be called, see {}", self.first_check)
        return self._found

    def require_data(self) -> Data:
        """The same; raises `Fails` where the component takes no data at all."""
        if isinstance(self._found, Fails):
            raise self._found
        return self._found

    @property
    def is_function(self) -> bool:
        """Whether the component is a function of labels and predictions, without a config."""
        kinds = keras.losses.Loss | keras.metrics.Metric | keras.layers.Layer
        return not isinstance(self.recipe.make(), kinds)

    def differ(self, first: Any, second: Any, tolerance: float = 1e-4) -> bool:
        """Whether two results are not the same."""
        return differs_by(first, second, tolerance) is not None

    def outputs_differ(self, made: Any, copy: Any) -> bool:
        """Whether two components of the same arguments give different results."""
        return self.differ(self.output(made), self.output(copy))

    def output(self, made: Any) -> Any:
        """The values of one component on the data."""
        raise NotImplementedError


def in_graph(
    function: Callable[..., Any], tensors: Sequence[tf.Tensor], jit_compile: bool
) -> Callable[..., Any]:
    """A function of such tensors in a graph, traced without autograph, as Keras traces its step.

    Unless XLA compiles the graph, the batch size is unknown in it.
    """
    size = tensors[0].shape[:1] if jit_compile else [None]
    signature = [tf.TensorSpec([*size, *t.shape[1:]], t.dtype) for t in tensors]

    def call(*arguments: tf.Tensor) -> Any:
        return function(*arguments)

    return tf.function(call, input_signature=signature, autograph=False, jit_compile=jit_compile)
