"""The named checks: what each looks for, why it matters, how to mend it.

A check is a function of a subject (a component that is being checked). It returns what it saw, or
raises `Fails`, `Warns` or `DoesNotApply` with what it saw.
"""

from __future__ import annotations

import importlib
import inspect
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

KINDS = ("loss", "metric", "layer", "model")

# Where the checks of a kind are; importing them is what registers them, in this order.
_ROOMS = {
    "loss": ("loss_values", "loss_gradients", "loss_running"),
    "metric": ("metric_state", "metric_counting", "metric_running"),
    "layer": ("layer_weights", "layer_calls", "layer_running"),
    "model": ("model_training", "model_logs", "model_running"),
}


class Fails(Exception):  # noqa: N818 (a finding, no error of the kit)
    """The component does what it must not; the message is what was seen."""


class Warns(Exception):  # noqa: N818
    """Legal, but it costs something; the message is what was seen."""


class DoesNotApply(Exception):  # noqa: N818
    """The check has nothing to look at here; the message is why."""


@dataclass(frozen=True)
class Check:
    """One thing that is looked for.

    Attributes:
        kind: loss, metric, layer or model.
        name: of the check, as a test's name.
        what: what is true of a right component, in one sentence.
        why: what goes wrong otherwise.
        mend: how to mend it.
        example: a few lines of code that are right.
        run: the function.
    """

    kind: str
    name: str
    what: str
    why: str
    mend: str
    example: str
    run: Callable[[Any], str]


_CHECKS: dict[str, dict[str, Check]] = {kind: {} for kind in KINDS}


def check(
    kind: str, *, why: str, mend: str, example: str
) -> Callable[[Callable[[Any], str]], Callable[[Any], str]]:
    """Registers a function as a check; its name and docstring's first line are the check's.

    Args:
        kind: loss, metric, layer or model.
        why: what goes wrong where it fails.
        mend: how to mend it.
        example: code that is right.
    """

    def register(function: Callable[[Any], str]) -> Callable[[Any], str]:
        what = (inspect.getdoc(function) or "").splitlines()[0]
        code = textwrap.dedent(example).strip()
        name = function.__name__
        _CHECKS[kind][name] = Check(kind, name, what, why, mend, code, function)
        return function

    return register


def checks_of(kind: str) -> tuple[Check, ...]:
    """The checks of a kind, in the order in which they run. Imports Keras.

    Args:
        kind: loss, metric, layer or model.
    """
    for room in _ROOMS[kind]:
        importlib.import_module(f"src.checks.{room}")
    return tuple(_CHECKS[kind].values())
