"""The named checks: what each looks for, why it matters, how to mend it.

A check is a function of a subject (a component that is being checked). It returns what it saw, or
raises `Fails`, `Warns` or `DoesNotApply` with what it saw.
"""

from __future__ import annotations

import importlib
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from src.checks.messages import one_line

KINDS = ("loss", "metric", "layer", "model")

# The modules that hold the checks of each kind, in the order in which the checks run.
_MODULES = {
    "loss": ("losses.values", "losses.gradients", "graph_checks", "saving_checks"),
    "metric": ("metrics.state", "metrics.counting", "graph_checks", "saving_checks"),
    "layer": ("layers.weights", "layers.calls", "graph_checks", "saving_checks"),
    "model": ("models.training", "models.logs", "models.execution", "saving_checks"),
}


class Finding(Exception):  # noqa: N818 (what a check found, no error of the kit)
    """What a check found; the message is what was seen."""


class Fails(Finding):
    """The component does what it must not."""


class Warns(Finding):
    """The component is legal, but it costs something."""


class DoesNotApply(Finding):
    """The check has nothing to look at in this component; the message says why."""


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
class Check:
    """One thing that the kit looks for.

    Attributes:
        kinds: of components that it is for: loss, metric, layer, model.
        name: of the check, as a test's name.
        what: what is true of a right component, in one sentence.
        why: what goes wrong otherwise.
        mend: how to mend it.
        example: a few lines of code that are right.
        run: the function.
    """

    kinds: tuple[str, ...]
    name: str
    what: str
    why: str
    mend: str
    example: str
    run: Callable[[Any], str]


def check(*kinds: str, example: str = "") -> Callable[[Callable[[Any], str]], Check]:
    """Makes a check of a function.

    The function's docstring says everything else: a first line (what is true of a right
    component), a paragraph that starts with "Why:", one that starts with "Mend:", and an
    "Example:" of right code where `example` is not given.

    Args:
        *kinds: loss, metric, layer, model.
        example: right code that several checks share.
    """

    def make(function: Callable[[Any], str]) -> Check:
        text = inspect.getdoc(function) or ""
        what, why, mend, code = re.split(r"\n+(?:Why|Mend|Example):\s", text + "\n\nExample:\n")[:4]
        reason, remedy = " ".join(why.split()), " ".join(mend.split())
        code = textwrap.dedent(example or code).strip()
        return Check(kinds, function.__name__, what, reason, remedy, code, function)

    return make


def checks_of(kind: str) -> tuple[Check, ...]:
    """The checks of a kind, in the order in which they run. Imports Keras.

    Args:
        kind: loss, metric, layer or model.
    """
    modules = [importlib.import_module(f"src.checks.{name}") for name in _MODULES[kind]]
    values = [value for module in modules for value in vars(module).values()]
    return tuple(value for value in values if isinstance(value, Check) and kind in value.kinds)
