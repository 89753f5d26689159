"""A loss that is being checked: new ones on demand, and the labels that it takes."""

from __future__ import annotations

import functools
import inspect
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras.src.losses.losses import LossFunctionWrapper

from src.checks.closeness import numbers
from src.checks.construct import Recipe
from src.checks.messages import one_line
from src.checks.registry import DoesNotApply, Fails
from src.checks.tasks import Task, tasks


class LossSubject:
    """A loss under check.

    Args:
        recipe: how it is made.
    """

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe

    def make(self, reduction: str | None = "sum_over_batch_size", **changes: Any) -> Any:
        """A new loss; a function becomes one as `compile` makes it, with `LossFunctionWrapper`.

        Args:
            reduction: set on the loss, whatever its constructor takes.
            **changes: other constructor arguments.
        """
        made = self.recipe.make(**changes)
        if not isinstance(made, keras.losses.Loss):
            made = LossFunctionWrapper(made, name=self.recipe.name)
        made.reduction = reduction
        return made

    @functools.cached_property
    def found(self) -> Task | str:
        """The first form of labels that it takes, or how it refused them."""
        refusals: dict[str, str] = {}
        for task in tasks():
            try:
                value = numbers(self.make(None)(task.y_true, task.y_pred))
            except Exception as error:  # the component's own, of any kind
                refusals.setdefault(task.form, f"{task.what}: {one_line(error)}")
                continue
            if np.isfinite(value).all() and value.size:
                return task
            refusals.setdefault(task.form, f"{task.what}: {value[:3]}")
        return "; ".join(refusals.values())

    @property
    def task(self) -> Task:
        """The form of labels that it takes."""
        if isinstance(self.found, str):
            raise DoesNotApply("it cannot be called, see takes_labels_and_predictions")
        return self.found

    def refused(self) -> None:
        """Raises `Fails` where it takes no labels at all."""
        if isinstance(self.found, str):
            raise Fails(f"it gave no finite value for any form of labels. {self.found}")

    @functools.cached_property
    def scale(self) -> str:
        """Whether predictions are logits (any number) or probabilities (0 to 1).

        The attribute or argument `from_logits` says so; without, a loss that is finite and has a
        gradient at numbers beyond 0 and 1 takes logits.
        """
        loss = self.make(None)
        places = (vars(loss), getattr(loss, "_fn_kwargs", {}), self.recipe.arguments)
        for place in places:
            if isinstance(place.get("from_logits"), bool):
                return "logits" if place["from_logits"] else "probabilities"
        if not self.recipe.is_class:
            default = inspect.signature(self.recipe.make()).parameters.get("from_logits")
            if default is not None and isinstance(default.default, bool):
                return "logits" if default.default else "probabilities"
        return "logits" if self._takes_any_number() else "probabilities"

    def _takes_any_number(self) -> bool:
        task = self.task
        beyond = np.where(task.y_pred > np.median(task.y_pred), 1.5, -0.7) + task.y_pred
        try:
            value, gradient = self.value_and_gradient(task.y_true, beyond.astype("float32"))
        except Exception:  # it refuses them
            return False
        finite = np.isfinite(value).all() and np.isfinite(gradient).all()
        if not finite or not np.any(gradient != 0):
            return False
        return self._right_costs_less("logits") or not self._right_costs_less("probabilities")

    def _right_costs_less(self, scale: str) -> bool:
        task, made = self.task, self.make()
        right, wrong = (
            float(made(task.y_true, task.predicting(target, scale)))
            for target in (task.target, task.wrong())
        )
        return right < wrong

    @functools.cached_property
    def values(self) -> np.ndarray:
        """The losses of the task's samples, unreduced, in the shape that the loss gives them."""
        value: np.ndarray = keras.ops.convert_to_numpy(
            self.make(None)(self.task.y_true, self.task.y_pred)
        )
        return value

    @property
    def is_scalar(self) -> bool:
        """Whether it gives one number for the whole batch."""
        return self.values.ndim == 0

    def shape_of_call(self) -> tuple[int, ...]:
        """The shape of what `call` gives, before anything that `__call__` does to it."""
        task = self.task
        y_true, y_pred = (tf.cast(part, tf.float32) for part in (task.y_true, task.y_pred))
        return tuple(tf.convert_to_tensor(self.make(None).call(y_true, y_pred)).shape)

    def value_and_gradient(
        self, y_true: Any, y_pred: np.ndarray, **changes: Any
    ) -> tuple[np.ndarray, np.ndarray]:
        """Losses and the gradient of their sum by the predictions, in the dtype of `y_pred`.

        Raises:
            Fails: there is no gradient.
        """
        loss = self.make(None, **changes)
        loss._dtype = y_pred.dtype.name  # what Loss.__call__ casts to
        predictions = tf.convert_to_tensor(y_pred)
        with tf.GradientTape() as tape:
            tape.watch(predictions)
            value = loss(y_true, predictions)
        gradient = tape.gradient(value, predictions)
        if gradient is None:
            raise Fails("the gradient by the predictions is None: TensorFlow lost track of them")
        return keras.ops.convert_to_numpy(value), keras.ops.convert_to_numpy(gradient)
