"""A model that is being checked: one instance, put back to its first weights for each check."""

import functools
import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from src.checks.closeness import as_vector
from src.checks.language import say
from src.checks.layers.subject import candidates
from src.checks.messages import keras3, one_line
from src.checks.registry import DoesNotApply, Fails
from src.checks.subject import Subject

EXAMPLES, BATCH = 20, 8  # the last batch is smaller
WHOLE = 2 * BATCH  # examples in whole batches
EPOCHS = 4
METRIC = "kit_metric"
RATE = 0.03


@dataclass(frozen=True)
class ToyProblem:
    """A model, and a small problem that it trains on.

    Attributes:
        model: under check.
        first: values of its variables before any training.
        x: inputs, `EXAMPLES` of them.
        y: labels.
        loss: that fits them.
    """

    model: Any
    first: list[np.ndarray]
    x: Any
    y: np.ndarray
    loss: Any

    def inputs(self, count: int) -> Any:
        """The first inputs."""
        return tf.nest.map_structure(lambda part: part[:count], self.x)


class Fit(NamedTuple):
    """The outcome of a fit: weights and loss before and after it, its logs, optimizer steps."""

    before: np.ndarray
    after: np.ndarray
    losses: tuple[float, float]
    history: dict[str, list[float]]
    steps: int


class ModelSubject(Subject[ToyProblem]):
    """A model under check."""

    first_check = "can_be_trained"

    def make(self, **changes: Any) -> Any:
        """A new model; a class without a `call` of its own on a small network."""
        source = self.recipe.source
        if self.recipe.is_class and source.call.__module__.startswith("keras."):
            inputs = keras.Input(self.recipe.input_shape or (6,))
            hidden = keras.layers.Dense(8, activation="tanh")(inputs)
            return self.recipe.make(inputs, keras.layers.Dense(3)(hidden))
        return self.recipe.make(**changes)

    def find_data(self) -> ToyProblem:
        """The first inputs, labels and loss that the model trains on."""
        refusals: list[str] = []
        mend = ""
        for x in self._inputs(self.make()):
            model = self.make()
            try:
                outputs = model(x, training=False)
            except Exception as error:  # the component's own, of any kind
                shapes = ", ".join(str(tuple(part.shape)) for part in tf.nest.flatten(x))
                refusals.append(say("inputs {}: {}", shapes, one_line(error)))
                mend = mend or keras3(error)
                continue
            if not isinstance(outputs, tf.Tensor):
                raise Fails("it has several outputs, and the kit labels for one only")
            first = [np.array(v) for v in model.variables]
            for y, loss in _labels_and_losses(outputs):
                try:
                    model.compile(keras.optimizers.SGD(0.01), loss, run_eagerly=True)
                    model.fit(x, y, batch_size=EXAMPLES, verbose=0)
                except Exception as error:
                    refusals.append(say("loss {}: {}", loss, one_line(error)))
                    mend = mend or keras3(error)
                    continue
                return ToyProblem(model, first, x, y, loss)
        raise Fails("; ".join(dict.fromkeys(refusals)), mend=mend)

    def _inputs(self, model: Any) -> list[Any]:
        """Inputs to try: of the shapes that the model says, else the usual ones."""
        if getattr(model, "inputs", None):
            shapes = [tensor.shape[1:] for tensor in model.inputs]
        elif self.recipe.input_shape:
            shapes = [self.recipe.input_shape]
        else:
            arrays = [inputs.arrays[0] for inputs in candidates()]
            return [a if a.dtype == tf.string else tf.concat([a] * 5, axis=0) for a in arrays]
        made = []
        for shape in shapes:
            size = (EXAMPLES, *(size or 5 for size in shape))
            values = np.random.default_rng(4).uniform(0.05, 0.95, size)
            made.append(tf.constant(values, tf.float32))
        return made if len(made) == 1 else [made]

    def restarted(self, rate: float = RATE, **compiling: Any) -> Any:
        """The model with its first weights, compiled anew; `rate` is that of gradient descent."""
        problem = self.data
        for variable, value in zip(problem.model.variables, problem.first, strict=False):
            variable.assign(value)
        return self.compiled(problem.model, rate, **compiling)

    def compiled(self, model: Any, rate: float = RATE, **compiling: Any) -> Any:
        """A model compiled with plain gradient descent, a loss that fits, and one metric."""
        metric = keras.metrics.MeanMetricWrapper(mean_prediction, name=METRIC)
        optimizer: Any = keras.optimizers.SGD(rate)
        if model.dtype_policy.name == "mixed_float16":  # so small a scale that nothing overflows
            optimizer = keras.optimizers.LossScaleOptimizer(optimizer, initial_scale=128.0)
        model.compile(optimizer=optimizer, loss=self.data.loss, metrics=[metric], **compiling)
        return model

    @property
    def parameters(self) -> set[str]:
        """Names of the arguments that its class's constructor takes."""
        return set(inspect.signature(type(self.data.model).__init__).parameters)

    @functools.cached_property
    def plain(self) -> Fit:
        """A plain fit, in a graph, on whole batches; other ways to train are held against it."""
        made, problem = self.restarted(), self.data
        if not made.trainable_weights:
            raise DoesNotApply("it has no trainable weights")
        before, loss = weights_of(made), self.loss_of(made)
        validation = problem.inputs(WHOLE), problem.y[:WHOLE]
        history = self.fitted(made, WHOLE, EPOCHS, validation_data=validation)
        steps = int(made.optimizer.iterations)
        return Fit(before, weights_of(made), (loss, self.loss_of(made)), history, steps)

    def loss_of(self, model: Any) -> float:
        """The loss as Keras computes it from the model's predictions and `model.losses`."""
        problem = self.data
        y_pred = model(problem.x, training=False)[:WHOLE]
        value = np.asarray(keras.losses.get(problem.loss)(problem.y[:WHOLE], y_pred))
        return float(np.mean(value)) + float(sum(np.asarray(part).sum() for part in model.losses))

    def fitted(
        self, model: Any, examples: int = EXAMPLES, epochs: int = 1, **fitting: Any
    ) -> dict[str, list[float]]:
        """The history of a fit of a compiled model, in the order of the data."""
        x, y = self.data.inputs(examples), self.data.y[:examples]
        how = {"epochs": epochs, "batch_size": BATCH, "shuffle": False, "verbose": 0}
        history: dict[str, list[float]] = model.fit(x, y, **how, **fitting).history
        return history

    def is_random(self, model: Any) -> bool:
        """Whether training differs from inference, by dropout or batch statistics."""
        x = self.data.x
        return not np.allclose(model(x, training=True), model(x, training=False), atol=1e-5)

    def in_saved_model(self) -> tuple[Any, Any, Any]:
        """The model twice, as what is checked and as what is saved, and its inputs."""
        made = self.restarted()
        made.compile()  # what was compiled is the kit's own
        return made, made, self.data.x


def mean_prediction(y_true: Any, y_pred: Any) -> Any:
    """A metric of predictions alone, so that it takes labels of any form."""
    del y_true
    return keras.ops.mean(keras.ops.cast(y_pred, "float32") + 1.0, axis=-1)


def weights_of(model: Any) -> np.ndarray:
    """All trainable weights as one vector."""
    return as_vector(model.trainable_weights)


def _labels_and_losses(outputs: tf.Tensor) -> Iterator[tuple[np.ndarray, Any]]:
    """Labels and losses to try for these outputs."""
    generator = np.random.default_rng(5)
    shape = tuple(outputs.shape)
    yield generator.uniform(0.1, 0.9, shape).astype("float32"), "mean_squared_error"
    if len(shape) > 1 and shape[-1] > 1:
        labels = generator.integers(0, shape[-1], shape[:-1]).astype("int32")
        yield labels, keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    labels = generator.integers(0, 2, shape).astype("float32")
    yield labels, keras.losses.BinaryCrossentropy(from_logits=True)
