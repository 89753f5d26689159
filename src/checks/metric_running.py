"""Checks of where a metric runs: graphs, XLA, saved configs."""

from __future__ import annotations

import keras
import tensorflow as tf

from src.checks.closeness import apart, shown
from src.checks.messages import one_line
from src.checks.metric_subject import MetricSubject, arguments_of
from src.checks.registry import DoesNotApply, Fails, check
from src.checks.round_trip import altered, copy_by_config, lost


@check(
    "metric",
    why="fit and evaluate update metrics in a graph: Python code runs once, when it is traced, "
    "and tensors have no value there.",
    mend="Use TensorFlow or keras.ops throughout, assign and assign_add for the state; no "
    ".numpy(), no scikit-learn, no Python counters.",
    example="self.count.assign_add(ops.sum(weight))     # not self.count += len(y_true)",
)
def runs_in_a_graph(metric: MetricSubject) -> str:
    """In a graph, with an unknown batch size, it gives the eager result."""
    return _in_graph(metric, jit_compile=False)


@check(
    "metric",
    why="compile(jit_compile=True), the default on a GPU, compiles metrics with XLA.",
    mend="Use keras.ops with shapes that are known; no tf.py_function, no boolean_mask.",
    example="ops.sum(ops.where(mask, hits, 0))     # not tf.boolean_mask(hits, mask)",
)
def runs_under_jit_compile(metric: MetricSubject) -> str:
    """Compiled by XLA it gives the eager result."""
    return _in_graph(metric, jit_compile=True)


def _in_graph(metric: MetricSubject, jit_compile: bool) -> str:
    batches = arguments_of(metric.task), arguments_of(metric.other)
    expected = metric.value(*batches)
    used = metric.updated(batches[0])  # variables that depend on shapes are made eagerly
    used.reset_state()
    size = batches[0][0].shape[:1] if jit_compile else [None]
    signature = [tf.TensorSpec([*size, *t.shape[1:]], t.dtype) for t in batches[0]]

    def update(*batch: tf.Tensor) -> None:
        used.update_state(*batch)

    # Keras's training step is traced without autograph.
    function = tf.function(
        update, input_signature=signature, autograph=False, jit_compile=jit_compile
    )
    try:
        for batch in batches:
            function(*batch)
        value = used.result()
    except Exception as error:
        raise Fails(one_line(error)) from error
    if apart(value, expected, 1e-3):
        raise Fails(f"{shown(value)} in the graph, {shown(expected)} eagerly")
    return f"{shown(value)}, as eagerly"


@check(
    "metric",
    why="A saved model holds its metrics as configs; an argument that is not in it is lost.",
    mend="get_config returns every argument of the constructor, with super's; the constructor "
    "takes name and dtype.",
    example="""
    def get_config(self):
        return {**super().get_config(), "num_classes": self.num_classes}
    """,
)
def config_round_trips(metric: MetricSubject) -> str:
    """`from_config(get_config())` gives the same metric, whatever its arguments."""
    if metric.is_function:
        raise DoesNotApply("a function has no config; a saved model names it")
    batch = arguments_of(metric.task)
    tried = [{}, *altered(metric.recipe)]
    for change in tried:
        made: keras.metrics.Metric = metric.make(**change)
        copy = copy_by_config(made)
        missing = lost(made, copy)
        if missing:
            raise Fails(f"made with {change or 'its defaults'}, the copy differs: {missing[0]}")
        try:
            value = metric.updated(batch, metric=made).result()
        except Exception:  # an altered argument may not fit the labels
            continue
        if apart(value, metric.updated(batch, metric=copy).result()):
            raise Fails(f"made with {change or 'its defaults'}, the copy gives another result")
    names = ", ".join(name for change in tried for name in change) or "no argument"
    return f"the copy is the same, {names} altered"
