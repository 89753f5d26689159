"""The named checks: what each looks for, why it matters, how to mend it.

A check is a function of a subject (a component that is being checked). It returns what it saw, or
raises `Fails`, `Warns` or `DoesNotApply` with what it saw. The advice to the component's author
stands in the `advice.yaml` of each kind, in the order in which the checks run.
"""

import functools
import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import yaml

from src.checks.language import marked, say, translated
from src.checks.messages import keras3, one_line
from src.checks.results import FAIL, NOT_APPLICABLE, WARN

KINDS = {
    marked("loss"): "losses",
    marked("metric"): "metrics",
    marked("layer"): "layers",
    marked("model"): "models",
}
"""The folder of each kind."""


class Finding(BaseException):  # no Exception, so that no `except Exception` catches it
    """The outcome of a check.

    Args:
        seen: what was seen, in English as the argument of `say`; without values, in any language.
        *values: that are filled in.
        mend: how to mend it, where that is not what the check says of all components.
    """

    status: ClassVar[str]

    def __init__(self, seen: str, *values: Any, mend: str = "") -> None:
        super().__init__(say(seen, *values) if values else translated(seen))
        self.mend = mend


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
    """Turns an exception into a failure: "labels as uint8 raises ValueError: ..."."""
    try:
        yield
    except Exception as error:
        raise Fails("{} raises {}", doing, one_line(error), mend=keras3(error)) from error


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
    """Makes a check of a function, named as it, for these kinds; its docstring is its `what`."""
    return functools.partial(Rule, kinds)


def advice_of(kind: str) -> dict[str, dict[str, str]]:
    """What the author of a component is told, by the names of the checks of its kind."""
    file = Path(__file__).parent / KINDS[kind] / "advice.yaml"
    advice: dict[str, dict[str, str]] = yaml.safe_load(file.read_text("utf-8"))
    return advice


def checks_of(kind: str) -> tuple[Check, ...]:
    """The checks of a kind, in the order in which they run, advice in the language that is spoken.

    Imports Keras.
    """
    here = Path(__file__).parent
    folders = {"src.checks": here, f"src.checks.{KINDS[kind]}": here / KINDS[kind]}
    found: dict[str, Callable[[Any], str]] = {}
    for package, folder in folders.items():
        for module in pkgutil.iter_modules([str(folder)], f"{package}."):
            for value in vars(importlib.import_module(module.name)).values():
                if isinstance(value, Rule) and kind in value.kinds:
                    found[value.function.__name__] = value.function
    advice, checks = advice_of(kind), []
    for name in sorted(found, key=list(advice).index):
        said = {key: translated(advice[name][key]) for key in ("why", "mend")}
        what, example = inspect.getdoc(found[name]) or "", advice[name]["example"]
        checks.append(Check(name, what, **said, example=example, run=found[name]))
    return tuple(checks)
