"""A metric that is being checked: new ones on demand, and the labels that it takes."""

from __future__ import annotations

import contextlib
import functools
import inspect
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from src.checks.closeness import apart, numbers
from src.checks.construct import Recipe
from src.checks.messages import one_line
from src.checks.registry import DoesNotApply, Fails
from src.checks.tasks import BATCH, Task, tasks


class MetricSubject:
    """A metric under check.

    Args:
        recipe: how it is made.
    """

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe

    def make(self, **changes: Any) -> Any:
        """A new metric; a function becomes one as `compile` makes it, by its mean over batches.

        Args:
            **changes: other constructor arguments.
        """
        made = self.recipe.make(**changes)
        if isinstance(made, keras.metrics.Metric):
            return made
        return keras.metrics.MeanMetricWrapper(made, name=self.recipe.name)

    @property
    def is_function(self) -> bool:
        """Whether it is a function of labels and predictions."""
        return not isinstance(self.recipe.make(), keras.metrics.Metric)

    @functools.cached_property
    def found(self) -> Task | str:
        """The first form of labels that it takes, or how it refused them."""
        refusals: dict[str, str] = {}
        taken: list[Task] = []
        for task in self._forms():
            try:
                value = numbers(self.updated(arguments_of(task)).result())
                suits = self._tells_right_from_wrong(task) and self._takes_weights(task)
            except Exception as error:  # the component's own, of any kind
                refusals.setdefault(task.form, f"{task.what}: {one_line(error)}")
                continue
            if value.size and np.isfinite(value).all():
                if suits:
                    return task
                taken.append(task)
            refusals.setdefault(task.form, f"{task.what}: {value[:3]}")
        return taken[0] if taken else "; ".join(refusals.values())

    def _forms(self, seed: int = 0) -> list[Task]:
        """Forms to try; a metric whose second argument is the weight takes values alone."""
        names = list(inspect.signature(self.make().update_state).parameters)
        if names[1:2] == ["sample_weight"]:
            return _of_values(seed)
        return list(tasks(seed, for_metric=True))

    def _takes_weights(self, task: Task) -> bool:
        """Whether weights, one a sample, fit; a form in which they do comes first."""
        with contextlib.suppress(Exception):
            self.value(arguments_of(task), sample_weight=tf.ones(BATCH))
            return True
        return False

    def _tells_right_from_wrong(self, task: Task) -> bool:
        """Whether right and wrong predictions differ, on a batch and on one sample."""
        if task.form == "values":
            return True
        for rows in (slice(None), slice(0, 1)):
            right, wrong = (
                self.value(
                    (
                        tf.convert_to_tensor(task.y_true[rows]),
                        tf.convert_to_tensor(task.predicting(target, "probabilities")[rows]),
                    )
                )
                for target in (task.target, task.wrong())
            )
            if apart(right, wrong, 1e-6) is None and rows.start is None:
                return False
        return True

    @property
    def task(self) -> Task:
        """The form of labels that it takes."""
        if isinstance(self.found, str):
            raise DoesNotApply("it cannot be updated, see takes_labels_and_predictions")
        return self.found

    def refused(self) -> None:
        """Raises `Fails` where it takes no labels at all."""
        if isinstance(self.found, str):
            raise Fails(f"it gave no finite result for any form of labels. {self.found}")

    @functools.cached_property
    def other(self) -> Task:
        """Other data of the same form."""
        return next(form for form in self._forms(1) if form.what == self.task.what)

    def updated(self, *batches: tuple[Any, ...], metric: Any = None, **keywords: Any) -> Any:
        """A metric after some batches, a new one unless given.

        Args:
            *batches: arguments of `update_state`.
            metric: to be updated.
            **keywords: of each update.
        """
        metric = self.make() if metric is None else metric
        for batch in batches:
            metric.update_state(*batch, **keywords)
        return metric

    def value(self, *batches: tuple[Any, ...], **keywords: Any) -> np.ndarray:
        """The result of a new metric after some batches."""
        return numbers(self.updated(*batches, **keywords).result())


def arguments_of(task: Task, rows: Any = slice(None)) -> tuple[tf.Tensor, ...]:
    """What `update_state` gets: labels and predictions, or for a metric of values these alone."""
    if task.form == "values":
        return (tf.convert_to_tensor(task.y_pred[rows]),)
    return tf.convert_to_tensor(task.y_true[rows]), tf.convert_to_tensor(task.y_pred[rows])


def _of_values(seed: int = 0) -> list[Task]:
    """The form of metrics such as `Mean`, that take values and no labels."""
    values = np.random.default_rng(seed).uniform(0.1, 0.9, BATCH).astype("float32")
    return [Task("values", "values (batch,), no labels", values, values, values)]
