"""The named checks: what each looks for, why it matters, how to mend it.

A check is a function of a subject (a component that is being checked). It returns what it saw, or
raises `Fails`, `Warns` or `DoesNotApply` with what it saw. The advice to the component's author
stands in the `advice.yaml` of each kind.
"""

import functools
import importlib
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import yaml

from src.checks.messages import one_line
from src.checks.results import FAIL, NOT_APPLICABLE, WARN

KINDS = ("loss", "metric", "layer", "model")

# The folder of each kind, and the modules that hold its checks in the order in which they run.
_MODULES = {
    "loss": ("losses", "losses.values", "losses.gradients", "graph_checks", "saving_checks"),
    "metric": ("metrics", "metrics.state", "metrics.counting", "graph_checks", "saving_checks"),
    "layer": ("layers", "layers.weights", "layers.calls", "graph_checks", "saving_checks"),
    "model": ("models", "models.training", "models.logs", "models.execution", "saving_checks"),
}


class Finding(Exception):  # noqa: N818 (a result, no error of the kit)
    """The outcome of a check; the message says what was seen."""

    status: ClassVar[str]


class Fails(Finding):
    """The component does what it must not."""

    status = FAIL


class Warns(Finding):
    """The component is legal, but it costs something."""

    status = WARN


class DoesNotApply(Finding):
    """The check has nothing to look at in this component; the message says why."""

    status = NOT_APPLICABLE


@contextmanager
def failing(doing: str) -> Iterator[None]:
    """Turns an exception of the component into a failure that says what was being done.

    Args:
        doing: such as "labels as uint8", before "raises ValueError: ...".
    """
    try:
        yield
    except Finding:
        raise
    except Exception as error:
        raise Fails(f"{doing} raises {one_line(error)}") from error


@dataclass(frozen=True)
class Rule:
    """A function that checks components of some kinds, as `check` makes it."""

    kinds: tuple[str, ...]
    function: Callable[[Any], str]


@dataclass(frozen=True)
class Check:
    """One thing that the kit looks for.

    Attributes:
        name: of the check, as a test's name.
        what: what is true of a right component, in one sentence.
        why: what goes wrong otherwise.
        mend: how to mend it.
        example: a few lines of code that are right.
        run: the function.
    """

    name: str
    what: str
    why: str
    mend: str
    example: str
    run: Callable[[Any], str]


def check(*kinds: str) -> Callable[[Callable[[Any], str]], Rule]:
    """Makes a check of a function, named as the function; its docstring is the check's `what`.

    Args:
        *kinds: that it is for: loss, metric, layer, model.
    """
    return functools.partial(Rule, kinds)


def checks_of(kind: str) -> tuple[Check, ...]:
    """The checks of a kind, in the order in which they run. Imports Keras.

    Args:
        kind: loss, metric, layer or model.
    """
    folder, *names = _MODULES[kind]
    advice = yaml.safe_load((Path(__file__).parent / folder / "advice.yaml").read_text("utf-8"))
    modules = [importlib.import_module(f"src.checks.{name}") for name in names]
    rules = [value for module in modules for value in vars(module).values()]
    return tuple(
        Check(name, inspect.getdoc(rule.function) or "", **advice[name], run=rule.function)
        for rule in rules
        if isinstance(rule, Rule) and kind in rule.kinds
        for name in [rule.function.__name__]
    )
