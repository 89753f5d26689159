"""Finds out of which kind a component is, and how a new one is made."""

import functools
import inspect
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import keras

from src.checks.language import mistake, say, translated
from src.checks.registry import KINDS

USUAL: dict[str, Any] = {
    **dict.fromkeys(("num_classes", "n_classes", "classes", "num_labels", "n_labels"), 3),
    **dict.fromkeys(("units", "filters", "output_dim", "hidden", "num_units"), 4),
    **dict.fromkeys(("clip_norm", "clip_value", "max_norm", "scale"), 1.0),
    **dict.fromkeys(("delta", "weight", "temperature"), 1.0),
    **dict.fromkeys(("threshold", "smoothing", "label_smoothing"), 0.3),
    "gamma": 2.0,
    "alpha": 0.25,
    "beta": 0.5,
    "rate": 0.3,
    "margin": 0.5,
    "class_weights": [0.5, 1.0, 2.0],
}
"""Values for arguments without a default that nobody gives, by the names that exercises use."""

_BASES = {
    "model": keras.Model,
    "layer": keras.layers.Layer,
    "metric": keras.metrics.Metric,
    "loss": keras.losses.Loss,
}
_METRIC_WORDS = ("metric", "accuracy", "f1", "score", "precision", "recall", "auc")


def kind_of_class(candidate: Any) -> str | None:
    """The kind of a class, or None where it is none of the four."""
    return next((kind for kind, base in _BASES.items() if issubclass(candidate, base)), None)


def takes_predictions(function: Any) -> bool:
    """Whether a function's first two arguments are labels and predictions, by their names."""
    try:
        names = [name.lower() for name in inspect.signature(function).parameters][:2]
    except (TypeError, ValueError):
        return False
    return len(names) == 2 and "true" in names[0] and "pred" in names[1]


@dataclass(frozen=True)
class Recipe:
    """The way to make a new component.

    Attributes:
        source: a class, a function of labels and predictions, or a function that returns either,
            or a component.
        kind: loss, metric, layer or model.
        name: for the report.
        arguments: of the constructor.
        guessed: those of them that nobody gave.
        input_shape: of one example, for a layer or model; None tries the usual ones.
    """

    source: Any
    kind: str
    name: str
    arguments: dict[str, Any] = field(default_factory=dict)
    guessed: dict[str, Any] = field(default_factory=dict)
    input_shape: tuple[int, ...] | None = None

    @property
    def is_class(self) -> bool:
        """Whether the constructor can be given other arguments."""
        return inspect.isclass(self.source)

    def make(self, *positional: Any, **changes: Any) -> Any:
        """A new component, of arguments that differ so from the recipe's, or the function."""
        if not self.is_class and takes_predictions(self.source):
            partial = functools.partial(self.source, **self.arguments)
            return partial if self.arguments else self.source
        return self.source(*positional, **{**self.arguments, **changes})


def recipe(
    source: Any,
    kind: str | None = None,
    arguments: dict[str, Any] | None = None,
    name: str | None = None,
    input_shape: tuple[int, ...] | None = None,
) -> Recipe:
    """Finds out what a component is and how to make it.

    Args:
        source: a class, a function of labels and predictions, or a function that returns one of
            these or a component.
        kind: that it must be of; None takes any.
        arguments: of the constructor.
        name: for the report; None takes its own.
        input_shape: of one example, for a layer or model.

    Raises:
        UserError: it is no component, is of another kind, or needs arguments that are not given.
    """
    name = name or getattr(source, "__name__", None) or type(source).__name__
    given = dict(arguments or {})
    if isinstance(source, tuple(_BASES.values())):
        raise mistake(
            "{} is one made {}; every check needs a new one. Give the class {} with its "
            "arguments, or a function that returns one",
            name,
            type(source).__name__,
            type(source).__name__,
        )
    if not callable(source):
        raise mistake("{} is of type {}, no Keras component", name, type(source).__name__)
    guessed: dict[str, Any] = {}
    if inspect.isclass(source):
        found = kind_of_class(source)
        guessed = _missing(source, given, name, ("inputs", "outputs") if found == "model" else ())
    else:
        product = source
        if not takes_predictions(source):
            guessed = _missing(source, given, name)
            product = source(**{**guessed, **given})
            if name == "<lambda>":
                name = getattr(product, "__name__", type(product).__name__)
        found = _kind_of_product(product, name, kind)
    if found is None:
        raise mistake("{} is no loss, metric, layer or model of Keras", name)
    if kind is not None and kind not in KINDS:
        raise mistake("kind {!r}: choose one of {}", kind, ", ".join(KINDS))
    if kind not in (None, found):
        raise mistake(
            "{} is a {}, not a {}: leave --kind out or say {}",
            name,
            translated(found),
            translated(kind),
            found,
        )
    return Recipe(source, found, name, {**guessed, **given}, guessed, input_shape)


def _kind_of_product(product: Any, name: str, kind: str | None) -> str:
    """The kind of a component, or of a function: a loss, unless asked for or named otherwise."""
    if isinstance(product, tuple(_BASES.values())):
        return kind_of_class(type(product)) or ""
    if not takes_predictions(product):
        raise mistake(
            "{}() returns a {}, no loss, metric, layer or model. A loss or metric that is a "
            "function must take (y_true, y_pred)",
            name,
            type(product).__name__,
        )
    if kind in ("loss", "metric"):
        return kind
    words = getattr(product, "__name__", "").lower()
    is_metric = any(word in words for word in _METRIC_WORDS) and "loss" not in words
    return "metric" if is_metric else "loss"


def parameters_of(source: Any) -> dict[str, inspect.Parameter]:
    """The parameters of a class or a function, by name.

    A class is asked for its constructor's: Keras's classes have a ``__new__(*args, **kwargs)``,
    which some Pythons, 3.11.2 among them, take for the signature of an inherited constructor.

    Raises:
        TypeError, ValueError: it has no signature.
    """
    if not inspect.isclass(source):
        return dict(inspect.signature(source).parameters)
    return dict(list(inspect.signature(source.__init__).parameters.items())[1:])


def _missing(
    source: Any, given: dict[str, Any], name: str, fed: Collection[str] = ()
) -> dict[str, Any]:
    """Values for required arguments that nobody gave, or a UserError that names them."""
    try:
        parameters = parameters_of(source)
    except (TypeError, ValueError):
        return {}
    named = [key for key, p in parameters.items() if p.kind is not p.VAR_KEYWORD]
    unknown = [key for key in given if key not in named]
    if unknown and len(named) == len(parameters):
        raise mistake(
            "{} takes no argument {}; it takes {}",
            name,
            ", ".join(unknown),
            ", ".join(named) or say("none"),
        )
    needed = [
        key
        for key, p in parameters.items()
        if key in named and p.default is p.empty and p.kind is not p.VAR_POSITIONAL
        if key not in {*given, *fed}
    ]
    if any(key not in USUAL for key in needed):
        example = ", ".join(f'"{key}": ...' for key in needed)
        raise mistake(
            "{} cannot be made without {}: give --args '{{{}}}'", name, ", ".join(needed), example
        )
    return {key: USUAL[key] for key in needed}
