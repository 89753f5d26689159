"""A metric that is being checked: new ones on demand, and the labels that it takes."""

import contextlib
import functools
import inspect
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from src.checks.closeness import as_vector, differs_by
from src.checks.language import marked, say
from src.checks.subject import Subject, in_graph
from src.checks.tasks import BATCH, Task, tasks


class MetricSubject(Subject[Task]):
    """A metric under check."""

    first_check = "takes_labels_and_predictions"
    refusal = marked("it gave no finite result for any form of labels. ")

    def make(self, **changes: Any) -> Any:
        """A new metric; a function becomes one as `compile` makes it, by its mean over batches."""
        made = self.recipe.make(**changes)
        if isinstance(made, keras.metrics.Metric):
            return made
        return keras.metrics.MeanMetricWrapper(made, name=self.recipe.name)

    def tried(self, form: Task) -> np.ndarray:
        """The result for a form."""
        return self.value(arguments_of(form))

    def suits(self, form: Task) -> bool:
        """Whether the metric tells right from wrong in this form, and counts weights."""
        if form.form != "values":
            if differs_by(*self.values_right_and_wrong(form), 1e-6) is None:
                return False
            self.values_right_and_wrong(form, slice(0, 1))  # raises where no single example fits
        with contextlib.suppress(Exception):
            return differs_by(*self.weighted(form)) is None
        return False

    def weighted(self, form: Task) -> tuple[np.ndarray, np.ndarray]:
        """The result with weights 0, 1 and 2, and with examples left out and repeated so."""
        weights = np.random.default_rng(2).integers(0, 3, BATCH)
        rows = np.repeat(np.arange(BATCH), weights)
        given = tf.constant(weights, tf.float32)
        value = self.value(arguments_of(form), sample_weight=given)
        return value, self.value(arguments_of(form, rows))

    def forms(self, seed: int = 0) -> list[Task]:
        """Forms to try; a metric whose second argument is the weight takes values alone."""
        names = list(inspect.signature(self.make().update_state).parameters)
        if names[1:2] == ["sample_weight"]:
            values = np.random.default_rng(seed).uniform(0.1, 0.9, BATCH).astype("float32")
            return [Task("values", say("values (batch,), no labels"), values, values, values)]
        return list(tasks(seed, for_metric=True))

    def values_right_and_wrong(
        self, task: Task, rows: Any = slice(None)
    ) -> tuple[np.ndarray, np.ndarray]:
        """The results for right and for wrong probabilities."""
        y_true = tf.convert_to_tensor(task.y_true[rows])
        guesses = (guess[rows] for guess in task.right_and_wrong("probabilities"))
        right, wrong = (self.value((y_true, tf.convert_to_tensor(guess))) for guess in guesses)
        return right, wrong

    @functools.cached_property
    def other(self) -> Task:
        """Other data of the same form."""
        return next(form for form in self.forms(1) if form.what == self.data.what)

    @property
    def batches(self) -> tuple[tuple[tf.Tensor, ...], tuple[tf.Tensor, ...]]:
        """The arguments of two updates."""
        return arguments_of(self.data), arguments_of(self.other)

    def updated(self, *batches: tuple[Any, ...], metric: Any = None, **keywords: Any) -> Any:
        """A metric, a new one unless given, after updates by these arguments."""
        metric = self.make() if metric is None else metric
        for batch in batches:
            metric.update_state(*batch, **keywords)
        return metric

    def value(self, *batches: tuple[Any, ...], **keywords: Any) -> np.ndarray:
        """The result of a new metric after some batches."""
        return as_vector(self.updated(*batches, **keywords).result())

    def output(self, made: Any) -> Any:
        """The result of a metric after one batch."""
        return self.updated(arguments_of(self.data), metric=made).result()

    def graph_output(self, jit_compile: bool) -> tuple[Any, Any]:
        """The result after two updates in a graph, and after two eager ones."""
        used = self.updated(self.batches[0])  # variables that depend on shapes are made eagerly
        used.reset_state()

        def update(*batch: tf.Tensor) -> None:  # whatever update_state returns
            used.update_state(*batch)

        function = in_graph(update, self.batches[0], jit_compile)
        for batch in self.batches:
            function(*batch)
        return used.result(), self.value(*self.batches)


def arguments_of(task: Task, rows: Any = slice(None)) -> tuple[tf.Tensor, ...]:
    """The arguments of `update_state`: labels and predictions, or values alone."""
    if task.form == "values":
        return (tf.convert_to_tensor(task.y_pred[rows]),)
    return tf.convert_to_tensor(task.y_true[rows]), tf.convert_to_tensor(task.y_pred[rows])
