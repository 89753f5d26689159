"""Config round trips: `from_config(get_config())` gives the same component again."""

from __future__ import annotations

import functools
import inspect
import json
import sys
from collections.abc import Iterator
from typing import Any

import keras
from keras.src.saving.keras_saveable import KerasSaveable

from src.checks.construct import Recipe, parameters_of
from src.checks.messages import one_line
from src.checks.registry import Fails

_NOT_ALTERED = {"name", "dtype", "reduction", "trainable", "seed", "self", "inputs", "outputs"}
_BASES = (keras.losses.Loss, keras.metrics.Metric, keras.Model, keras.layers.Layer)
_PLAIN = (bool, int, float, str, type(None))


def altered(recipe: Recipe) -> Iterator[dict[str, Any]]:
    """Constructor arguments that differ from the defaults, one at a time: those it accepts.

    A config that forgets an argument shows only where the argument is not at its default.
    """
    if not recipe.is_class:
        return
    for name, parameter in parameters_of(recipe.source).items():
        default = recipe.arguments.get(name, parameter.default)
        if name in _NOT_ALTERED or not isinstance(default, bool | int | float):
            continue
        change = {name: _other(default)}
        try:
            recipe.make(**change)
        except Exception:  # whatever it raises, the value is not one it takes
            continue
        yield change


def _other(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    return value / 2 if value else 0.25


def copy_by_config(component: Any) -> Any:
    """The component made anew from its config, through JSON as in a saved file.

    Raises:
        Fails: there is no config, it is not JSON, or the class does not take it.
    """
    name = type(component).__name__
    try:
        config = keras.saving.serialize_keras_object(component)
    except Exception as error:
        raise Fails(f"get_config does not work: {one_line(error)}") from error
    try:
        text = json.dumps(config)
    except (TypeError, ValueError) as error:
        raise Fails(f"get_config of {name} holds what JSON cannot: {error}") from error
    try:
        with keras.saving.custom_object_scope(objects_beside(type(component))):
            return keras.saving.deserialize_keras_object(json.loads(text))
    except Exception as error:
        raise Fails(f"{name}.from_config(get_config()) raises {one_line(error)}") from error


def objects_beside(component: type) -> dict[str, Any]:
    """The class and the Keras classes of its module, by name, for `custom_objects`."""
    module = sys.modules.get(component.__module__)
    classes = [] if component.__module__.startswith("keras.") else list(vars(module).values())
    found = [
        c for c in [component, *classes] if inspect.isclass(c) and issubclass(c, KerasSaveable)
    ]
    plain = {c.__name__: c for c in reversed(found) if not c.__module__.startswith("keras.")}
    return plain | {keras.saving.get_registered_name(c): c for c in plain.values()}


def lost(component: Any, copy: Any) -> list[str]:
    """Plain attributes that the copy does not share, as `name: value -> value`."""
    before, after = plain_attributes(component), plain_attributes(copy)
    return [
        f"{name}: {value!r} -> {after.get(name, 'absent')!r}"
        for name, value in before.items()
        if after.get(name, object()) != value
    ]


def plain_attributes(component: Any) -> dict[str, Any]:
    """Attributes that are numbers, texts, None, or lists of these; not those that Keras sets."""
    inherited = _set_by_keras(next(base for base in _BASES if isinstance(component, base)))
    found: dict[str, Any] = {}
    for name, value in _flat(vars(component)):
        if name in inherited:
            continue
        if isinstance(value, list | tuple):
            if all(isinstance(part, _PLAIN) for part in value):
                found[name] = list(value)
        elif isinstance(value, _PLAIN):
            found[name] = value
    return found


def _flat(attributes: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Attributes and, of those that are dicts, their entries."""
    for name, value in attributes.items():
        yield name, value
        if isinstance(value, dict):
            yield from ((f"{name}[{key!r}]", part) for key, part in value.items())


@functools.cache
def _set_by_keras(base: type) -> frozenset[str]:
    """Names of attributes that every component of a kind has, its own name excepted."""
    return frozenset(vars(base())) - {"name", "reduction"}
