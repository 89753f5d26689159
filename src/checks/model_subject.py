"""A model that is being checked: one instance, put back to its first weights for each check."""

from __future__ import annotations

import functools
import inspect
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from src.checks.construct import Recipe
from src.checks.layer_subject import candidates
from src.checks.messages import one_line
from src.checks.registry import DoesNotApply, Fails

SAMPLES, BATCH = 20, 8  # the last batch is smaller
EPOCHS = 4
METRIC = "kit_metric"
RATE = 0.03


@dataclass(frozen=True)
class Lesson:
    """What a model is trained on.

    Attributes:
        x: inputs, `SAMPLES` of them.
        y: labels.
        loss: name of Keras's loss.
    """

    x: Any
    y: np.ndarray
    loss: Any


def mean_prediction(y_true: Any, y_pred: Any) -> Any:
    """A metric of predictions alone, so that it takes labels of any form."""
    del y_true
    return keras.ops.mean(keras.ops.cast(y_pred, "float32") + 1.0, axis=-1)


@dataclass(frozen=True)
class Fit:
    """What a fit did.

    Attributes:
        before: the weights.
        after: the weights.
        losses: before and after.
        history: the logs.
        steps: of the optimizer.
    """

    before: np.ndarray
    after: np.ndarray
    losses: tuple[float, float]
    history: dict[str, list[float]]
    steps: int


class ModelSubject:
    """A model under check.

    Args:
        recipe: how it is made.
    """

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe

    def make(self) -> Any:
        """A new model; a class without a `call` of its own on a small network."""
        source = self.recipe.source
        if self.recipe.is_class and source.call.__module__.startswith("keras."):
            inputs = keras.Input(self.recipe.input_shape or (6,))
            hidden = keras.layers.Dense(8, activation="tanh")(inputs)
            return self.recipe.make_from(inputs, keras.layers.Dense(3)(hidden))
        return self.recipe.make()

    @functools.cached_property
    def found(self) -> tuple[Any, Lesson, list[np.ndarray]] | str:
        """The model, data that it trains on and its first weights, or how it refused them."""
        refusals: list[str] = []
        for x in self._inputs(self.make()):
            model = self.make()
            try:
                outputs = model(x, training=False)
            except Exception as error:  # the component's own, of any kind
                refusals.append(f"inputs {_shape(x)}: {one_line(error)}")
                continue
            if not isinstance(outputs, tf.Tensor):
                return "it has several outputs, and the kit labels for one only"
            first = [np.array(v) for v in model.variables]
            for lesson in _lessons(x, outputs):
                try:
                    model.compile(keras.optimizers.SGD(0.01), lesson.loss, run_eagerly=True)
                    model.train_on_batch(lesson.x, lesson.y)
                except Exception as error:
                    refusals.append(f"loss {lesson.loss}: {one_line(error)}")
                    continue
                return model, lesson, first
        return "; ".join(dict.fromkeys(refusals))

    def _inputs(self, model: Any) -> list[Any]:
        if getattr(model, "inputs", None):
            shapes = [tensor.shape[1:] for tensor in model.inputs]
        elif self.recipe.input_shape:
            shapes = [self.recipe.input_shape]
        else:
            return [_repeated(c.arrays[0]) for c in candidates()]
        made = [_floats(tuple(size or 5 for size in shape)) for shape in shapes]
        return [made[0] if len(made) == 1 else made]

    def _known(self) -> tuple[Any, Lesson, list[np.ndarray]]:
        if isinstance(self.found, str):
            raise DoesNotApply("it cannot be trained, see can_be_trained")
        return self.found

    @property
    def lesson(self) -> Lesson:
        """The data that it trains on."""
        return self._known()[1]

    def refused(self) -> None:
        """Raises `Fails` where it cannot be trained at all."""
        if isinstance(self.found, str):
            raise Fails(self.found)

    def restarted(self, rate: float = RATE, **compiling: Any) -> Any:
        """The model with its first weights, compiled anew.

        Args:
            rate: learning rate of plain gradient descent.
            **compiling: further arguments of `compile`.
        """
        model, lesson, first = self._known()
        keras.utils.set_random_seed(0)
        for variable, value in zip(model.variables, first, strict=False):
            variable.assign(value)
        compile_for_check(model, lesson, rate, **compiling)
        return model

    @property
    def parameters(self) -> set[str]:
        """Names of the arguments that its class's constructor takes."""
        return set(inspect.signature(type(self._known()[0]).__init__).parameters)

    @functools.cached_property
    def plain(self) -> Fit:
        """A plain fit, in a graph, on whole batches; other ways to train are held against it."""
        made = self.restarted()
        if not made.trainable_weights:
            raise DoesNotApply("it has no trainable weights")
        before, loss = weights_of(made), self.loss_of(made)
        data = tf.nest.map_structure(lambda part: part[: 2 * BATCH], self.lesson.x)
        validation = data, self.lesson.y[: 2 * BATCH]
        history = self.fitted(made, 2 * BATCH, EPOCHS, validation_data=validation)
        steps = int(made.optimizer.iterations)
        return Fit(before, weights_of(made), (loss, self.loss_of(made)), history, steps)

    def loss_of(self, model: Any) -> float:
        """The loss as Keras computes it from the model's predictions and `model.losses`."""
        y_pred = model(self.lesson.x, training=False)[: 2 * BATCH]
        loss = keras.losses.get(self.lesson.loss)
        value = float(np.mean(np.asarray(loss(self.lesson.y[: 2 * BATCH], y_pred))))
        return value + float(sum(np.asarray(part).sum() for part in model.losses))

    def fitted(
        self, model: Any, samples: int = SAMPLES, epochs: int = 1, **fitting: Any
    ) -> dict[str, list[float]]:
        """The history of a fit in the order of the data.

        Args:
            model: compiled.
            samples: how many of them.
            epochs: how many.
            **fitting: further arguments of `fit`.
        """
        lesson = self.lesson
        x = tf.nest.map_structure(lambda part: part[:samples], lesson.x)
        keywords = {"batch_size": BATCH, "shuffle": False, "verbose": 0, **fitting}
        history = model.fit(x, lesson.y[:samples], epochs=epochs, **keywords)
        found: dict[str, list[float]] = history.history
        return found

    def is_random(self, model: Any) -> bool:
        """Whether training differs from inference, by dropout or batch statistics."""
        first, second = (
            np.asarray(model(self.lesson.x, training=training)) for training in (True, False)
        )
        return not np.allclose(first, second, atol=1e-5)


def compile_for_check(model: Any, lesson: Lesson, rate: float, **compiling: Any) -> None:
    """Compiles with plain gradient descent, a loss that fits, and one metric."""
    metric = keras.metrics.MeanMetricWrapper(mean_prediction, name=METRIC)
    optimizer: Any = keras.optimizers.SGD(rate)
    if model.dtype_policy.name == "mixed_float16":  # so small a scale that nothing overflows
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer, initial_scale=128.0)
    model.compile(**{"optimizer": optimizer, "loss": lesson.loss, "metrics": [metric], **compiling})


def weights_of(model: Any) -> np.ndarray:
    """All trainable weights as one vector."""
    return np.concatenate([np.asarray(w, "float64").ravel() for w in model.trainable_weights])


def _lessons(x: Any, outputs: tf.Tensor) -> list[Lesson]:
    """Labels and losses to try for these outputs."""
    generator = np.random.default_rng(5)
    shape = tuple(outputs.shape)
    numbers = generator.uniform(0.1, 0.9, shape).astype("float32")
    lessons = [Lesson(x, numbers, "mean_squared_error")]
    if len(shape) > 1 and shape[-1] > 1:
        labels = generator.integers(0, shape[-1], shape[:-1]).astype("int32")
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        lessons.append(Lesson(x, labels, loss))
    labels = generator.integers(0, 2, shape).astype("float32")
    lessons.append(Lesson(x, labels, keras.losses.BinaryCrossentropy(from_logits=True)))
    return lessons


def _floats(shape: tuple[int, ...]) -> tf.Tensor:
    values = np.random.default_rng(4).uniform(0.05, 0.95, (SAMPLES, *shape))
    return tf.constant(values, tf.float32)


def _repeated(array: tf.Tensor) -> tf.Tensor:
    return array if array.dtype == tf.string else tf.concat([array] * 5, axis=0)[:SAMPLES]


def _shape(x: Any) -> str:
    return ", ".join(str(tuple(part.shape)) for part in tf.nest.flatten(x))
