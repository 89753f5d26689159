"""Looks through the attributes of a component."""

import functools
from collections.abc import Iterator
from typing import Any

import keras

from src.checks.language import say

BASES = (keras.losses.Loss, keras.metrics.Metric, keras.Model, keras.layers.Layer)
_PLAIN = (bool, int, float, str, type(None))


def held(owner: Any) -> Iterator[tuple[str, Any]]:
    """Attributes of an object, and the entries of those that are lists, tuples or dicts."""
    for name, value in vars(owner).items():
        if name.startswith("_self_"):  # TensorFlow's own list of what it tracks
            continue
        yield name, value
        if isinstance(value, dict):
            yield from ((f"{name}[{key!r}]", part) for key, part in value.items())
        elif isinstance(value, list | tuple):
            yield from ((f"{name}[{index}]", part) for index, part in enumerate(value))


def layers_within(layer: Any) -> list[Any]:
    """A layer and all layers that it holds, at any depth."""
    found = [layer]
    for known in found:  # which grows meanwhile
        for _, value in held(known):
            if isinstance(value, keras.layers.Layer) and all(value is not one for one in found):
                found.append(value)
    return found


def lost(component: Any, copy: Any) -> list[str]:
    """Plain attributes that the copy does not share, as `name: value -> value`."""
    before, after = plain_attributes(component), plain_attributes(copy)
    return [
        f"{name}: {value!r} -> {after.get(name, say('absent'))!r}"
        for name, value in before.items()
        if after.get(name, object()) != value
    ]


def plain_attributes(component: Any) -> dict[str, Any]:
    """Attributes that are numbers, texts, None, or lists of these; not those that Keras sets."""
    inherited = _set_by_keras(next(base for base in BASES if isinstance(component, base)))
    found: dict[str, Any] = {}
    for name, value in held(component):
        if name.split("[")[0] in inherited:
            continue
        if isinstance(value, list | tuple) and all(isinstance(part, _PLAIN) for part in value):
            found[name] = list(value)
        elif isinstance(value, _PLAIN):
            found[name] = value
    return found


@functools.cache
def _set_by_keras(base: type) -> frozenset[str]:
    """Names of attributes that every component of a kind has, its own name excepted."""
    return frozenset(vars(base())) - {"name", "reduction"}
