"""Checks that a component computes in a graph, and compiled by XLA, what it computes eagerly."""

from typing import Any

from src.checks.closeness import shown
from src.checks.language import say
from src.checks.registry import Fails, check


@check("loss", "metric")
def runs_in_a_graph(subject: Any) -> str:
    """In a graph, with an unknown batch size, it gives the eager result."""
    return _agrees(subject, jit_compile=False)


@check("loss", "metric", "layer")
def runs_under_jit_compile(subject: Any) -> str:
    """Compiled by XLA it gives the eager result."""
    return _agrees(subject, jit_compile=True)


def _agrees(subject: Any, jit_compile: bool) -> str:
    value, eager = subject.graph_output(jit_compile)
    if subject.differ(value, eager, 1e-3):
        raise Fails("{} in the graph, {} eagerly", shown(value), shown(eager))
    return say("{}, as eagerly", shown(value))
