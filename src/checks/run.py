"""Runs checks on components: the functions to call, and the mark for pytest."""

import functools
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from src.checks.construct import Recipe, recipe
from src.checks.isolation import isolated
from src.checks.language import speaking, spoken
from src.checks.layers.subject import LayerSubject
from src.checks.losses.subject import LossSubject
from src.checks.messages import keras3, one_line
from src.checks.metrics.subject import MetricSubject
from src.checks.models.subject import ModelSubject
from src.checks.registry import Check, Finding, checks_of
from src.checks.results import FAIL, NOT_APPLICABLE, PASS, WARN, Report, Result
from src.checks.subject import Subject

if TYPE_CHECKING:
    import pytest

_SUBJECTS: dict[str, type[Subject[Any]]] = {
    "loss": LossSubject,
    "metric": MetricSubject,
    "layer": LayerSubject,
    "model": ModelSubject,
}


def check_loss(component: Any, **arguments: Any) -> Report:
    """Runs every check of a loss.

    Args:
        component: a `keras.losses.Loss` class, a function of (y_true, y_pred), or a function
            without arguments that returns one or the other.
        **arguments: of the constructor.

    Returns:
        One result per check.

    Raises:
        UserError: the component is no loss, or cannot be made from these arguments.

    Example:
        >>> import keras
        >>> check_loss(keras.losses.MeanSquaredError).passed
        True
    """
    return check_component(component, "loss", arguments)


def check_metric(component: Any, **arguments: Any) -> Report:
    """The same for a metric: a `keras.metrics.Metric` class or a function."""
    return check_component(component, "metric", arguments)


def check_layer(component: Any, **arguments: Any) -> Report:
    """The same for a layer: a `keras.layers.Layer` class or a function that returns one."""
    return check_component(component, "layer", arguments)


def check_model(component: Any, **arguments: Any) -> Report:
    """The same for a model: a `keras.Model` class or a function that returns one.

    A class that defines no `call` is made as `Class(inputs, outputs)` on a small network.
    """
    return check_component(component, "model", arguments)


def check_component(
    component: Any,
    kind: str | None = None,
    arguments: dict[str, Any] | None = None,
    *,
    only: Sequence[str] = (),
    input_shape: tuple[int, ...] | None = None,
    language: str | None = None,
) -> Report:
    """Runs the checks of a component of any kind.

    Args:
        component: as in `check_loss`.
        kind: loss, metric, layer or model; None takes what the component is.
        arguments: of the constructor.
        only: names of checks; () runs all of the kind.
        input_shape: of one example, for a layer or model; None tries the usual ones.
        language: of the report, en or es; None takes the one that is spoken.

    Raises:
        UserError: the component is of another kind, or cannot be made from these arguments; the
            kit does not speak the language.
    """
    with speaking(language or spoken()):
        made = recipe(component, kind, arguments, input_shape=input_shape)
        wanted = [check for check in checks_of(made.kind) if not only or check.name in only]
        return Report(made.name, made.kind, tuple(results_of(made, wanted)), made.guessed)


def results_of(
    made: Recipe, checks: Sequence[Check], started: Callable[[Check], None] = lambda check: None
) -> Iterator[Result]:
    """Runs checks one by one, and calls `started` before each."""
    subject = _SUBJECTS[made.kind](made)
    for check in checks:
        started(check)
        yield _result_of(check, subject)


def _result_of(check: Check, subject: Subject[Any]) -> Result:
    """Runs one check; an exception of the component is a failure, not the kit's."""
    began = time.perf_counter()
    mend = ""

    def run() -> str:
        if check.name != subject.first_check:
            _ = subject.data  # nothing else is known of a component that cannot be used at all
        return check.run(subject)

    try:
        status, seen = PASS, isolated(run)
    except Finding as found:
        status, seen, mend = found.status, str(found), found.mend
    except (Exception, SystemExit) as error:
        status, seen, mend = FAIL, one_line(error), keras3(error)
    seconds = time.perf_counter() - began
    return Result(check.name, status, seen, check.why, mend or check.mend, check.example, seconds)


def parametrize_with_checks(
    *components: Any, kind: str | None = None, **arguments: Any
) -> "pytest.MarkDecorator":
    """A pytest mark: one test per component and check, with both names in its id.

    The test calls its argument `check`: a failure is an AssertionError that says what was seen,
    why it matters and how to mend it; a warning is a warning; what does not apply is skipped.

    Args:
        *components: as in `check_loss`.
        kind: of all of them; None takes what each is.
        **arguments: of the constructors.

    Example:
        @parametrize_with_checks(FocalLoss, gamma=1.0)
        def test_focal_loss(check):
            check()
    """
    import pytest  # a development dependency

    parameters = []
    for component in components:
        made = recipe(component, kind, arguments)
        subject = functools.cache(functools.partial(_SUBJECTS[made.kind], made))
        for check in checks_of(made.kind):
            run = functools.partial(_assert, check, subject)
            parameters.append(pytest.param(run, id=f"{made.name}-{check.name}"))
    return pytest.mark.parametrize("check", parameters)


def _assert(check: Check, subject: Callable[[], Subject[Any]]) -> None:
    import pytest

    result = _result_of(check, subject())
    if result.status == NOT_APPLICABLE:
        pytest.skip(result.seen)
    if result.status == WARN:
        warnings.warn(result.explanation(), stacklevel=2)
    if result.bad:
        pytest.fail(result.explanation(), pytrace=False)
