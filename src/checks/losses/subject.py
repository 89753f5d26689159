"""A loss that is being checked: new ones on demand, and the labels that it takes."""

import functools
import inspect
from collections.abc import Callable, Iterable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from src.checks.closeness import as_vector
from src.checks.language import marked
from src.checks.registry import Fails
from src.checks.subject import Subject, in_graph
from src.checks.tasks import Task, tasks


class FunctionLoss(keras.losses.Loss):
    """A function of labels and predictions, called as `compile` would."""

    def __init__(self, function: Callable[[Any, Any], Any], name: str) -> None:
        super().__init__(name=name)
        self.function = function

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """The function's value; (batch,) beside (batch, 1) becomes (batch, 1), as in Keras."""
        ranks = len(y_true.shape), len(y_pred.shape)
        if ranks == (1, 2) and y_pred.shape[-1] == 1:
            y_true = keras.ops.expand_dims(y_true, -1)
        elif ranks == (2, 1) and y_true.shape[-1] == 1:
            y_pred = keras.ops.expand_dims(y_pred, -1)
        return self.function(y_true, y_pred)


class LossSubject(Subject[Task]):
    """A loss under check."""

    first_check = "takes_labels_and_predictions"
    refusal = marked("it gave no finite value for any form of labels. ")

    def make(
        self, reduction: str | None = "sum_over_batch_size", dtype: str = "float32", **changes: Any
    ) -> Any:
        """A new loss; the reduction is set on it, the dtype is its default."""
        floatx = keras.config.floatx()
        keras.config.set_floatx(dtype)
        try:
            made = self.recipe.make(**changes)
            if not isinstance(made, keras.losses.Loss):
                made = FunctionLoss(made, self.recipe.name)
        finally:
            keras.config.set_floatx(floatx)
        made.reduction = reduction
        return made

    def forms(self) -> Iterable[Task]:
        """Labels and predictions in the usual forms."""
        return tasks()

    def tried(self, form: Task) -> np.ndarray:
        """The losses of a form."""
        return as_vector(self.make(None)(form.y_true, form.y_pred))

    @functools.cached_property
    def scale(self) -> str:
        """Whether predictions are logits (any number) or probabilities (0 to 1).

        The attribute or argument `from_logits` says so; without, a loss that is finite and has a
        gradient at numbers beyond 0 and 1 takes logits.
        """
        made, product = self.make(None), self.recipe.make()
        said = {**self.recipe.arguments, **made.get_config(), **vars(made)}.get("from_logits")
        if said is None and not isinstance(product, keras.losses.Loss):
            argument = inspect.signature(product).parameters.get("from_logits")
            said = argument.default if argument is not None else None
        if not isinstance(said, bool):
            said = self._takes_any_number()
        return marked("logits") if said else marked("probabilities")

    def _takes_any_number(self) -> bool:
        task = self.data
        beyond = np.where(task.y_pred > np.median(task.y_pred), 1.5, -0.7) + task.y_pred
        try:
            value, gradient = self.value_and_gradient(task.y_true, beyond.astype("float32"))
        except Exception:  # it refuses them
            return False
        finite = np.isfinite(value).all() and np.isfinite(gradient).all()
        if not finite or not np.any(gradient != 0):
            return False
        logits, probabilities = map(self.cost_of_right_and_wrong, ("logits", "probabilities"))
        if logits[0] < 0 <= probabilities[0]:  # an overlap of more than all, as of a Dice loss
            return False
        return logits[0] < logits[1] or not probabilities[0] < probabilities[1]

    def cost_of_right_and_wrong(self, scale: str) -> tuple[float, float]:
        """The loss of predictions that are right, and of predictions that are wrong."""
        made, (right, wrong) = self.make(), self.data.right_and_wrong(scale)
        return float(made(self.data.y_true, right)), float(made(self.data.y_true, wrong))

    @functools.cached_property
    def values(self) -> np.ndarray:
        """The losses of the task's examples, unreduced, in the shape that the loss gives them."""
        return np.asarray(self.make(None)(self.data.y_true, self.data.y_pred))

    @property
    def is_scalar(self) -> bool:
        """Whether the loss is one number for the whole batch."""
        return self.values.ndim == 0

    def output(self, made: Any) -> Any:
        """The sum of a loss over the task."""
        made.reduction = "sum"
        return made(self.data.y_true, self.data.y_pred)

    def graph_output(self, jit_compile: bool) -> tuple[Any, Any]:
        """The unreduced losses in a graph, and eagerly."""
        tensors = [tf.convert_to_tensor(part) for part in (self.data.y_true, self.data.y_pred)]
        value = in_graph(self.make(None), tensors, jit_compile)(*tensors)
        return value, self.values

    def value_and_gradient(self, y_true: Any, y_pred: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Losses and the gradient of their sum by the predictions, in the dtype of `y_pred`.

        Raises:
            Fails: there is no gradient.
        """
        loss = self.make(None, dtype=y_pred.dtype.name)
        predictions = tf.convert_to_tensor(y_pred)
        with tf.GradientTape() as tape:
            tape.watch(predictions)
            value = loss(y_true, predictions)
        gradient = tape.gradient(value, predictions)
        if gradient is None:
            raise Fails("the gradient by the predictions is None: TensorFlow lost track of them")
        return keras.ops.convert_to_numpy(value), keras.ops.convert_to_numpy(gradient)
