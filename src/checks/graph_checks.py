"""Checks that a component computes in a graph, and compiled by XLA, what it computes eagerly."""

from __future__ import annotations

from typing import Any

from src.checks.closeness import apart, shown
from src.checks.registry import Fails, check
from src.checks.subject import Subject


@check("loss", "metric")
def runs_in_a_graph(subject: Subject[Any]) -> str:
    """In a graph, with an unknown batch size, it gives the eager result.

    Why: fit and evaluate run losses and metrics in a graph: Python code runs once, when the graph
    is traced, and tensors have no value there.
    Mend: Use TensorFlow or keras.ops throughout, ops.shape(x)[0] for the batch size, assign_add
    for a metric's state; no .numpy(), no scikit-learn, no Python if, for or counter.

    Example:
        loss = ops.where(error < 1, small, large)    # not: if error < 1: ...   not: y.numpy()
        self.count.assign_add(ops.sum(weight))       # not: self.count += len(y_true)
    """
    return _agrees(subject, jit_compile=False)


@check("loss", "metric", "layer")
def runs_under_jit_compile(subject: Subject[Any]) -> str:
    """Compiled by XLA it gives the eager result.

    Why: compile(jit_compile=True), the default on a GPU, compiles the whole step with XLA.
    Mend: Use keras.ops with shapes that are known; no tf.py_function, no strings, no dynamic
    shapes such as tf.boolean_mask. A layer that cannot be compiled says self.supports_jit = False.

    Example:
        ops.sum(ops.where(mask, loss, 0))     # not tf.boolean_mask(loss, mask)
    """
    return _agrees(subject, jit_compile=True)


def _agrees(subject: Subject[Any], jit_compile: bool) -> str:
    value, eager = subject.graph_output(jit_compile)
    if apart(value, eager, 1e-3):
        raise Fails(f"{shown(value)} in the graph, {shown(eager)} eagerly")
    return f"{shown(value)}, as eagerly"
