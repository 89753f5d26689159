"""Constructor arguments: their checks, which raise a ValueError naming them, and their config."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Set
from numbers import Integral, Real
from typing import Any

import keras

PACKAGE = "imbalance"  # under which every component is registered with Keras
Alpha = float | Iterable[float] | None


class ConfiguredLoss(keras.losses.Loss):
    """A loss that holds each of its constructor's `arguments` in an attribute of that name."""

    arguments: tuple[str, ...] = ()

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        own = {name: getattr(self, name) for name in self.arguments}
        return {**super().get_config(), **own, "dtype": self.dtype}


def is_whole(value: Any, least: int = 1) -> bool:
    """Return whether the value is an integer (NumPy's count, booleans do not) >= `least`."""
    return isinstance(value, Integral) and not isinstance(value, bool) and int(value) >= least


def is_finite(value: Any) -> bool:
    """Return whether the value is a finite real number; booleans are none."""
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)


def check_not_negative(value: float, name: str) -> float:
    """Return the value as a float, or raise ValueError: it is finite and >= 0."""
    if not is_finite(value) or value < 0:
        raise ValueError(f"`{name}` must be a finite number >= 0. Got {value!r}.")
    return float(value)


def check_positive(value: float, name: str, instead: str = "") -> float:
    """Return the value as a float, or raise ValueError: it is finite and > 0.

    The message goes on with the values that are allowed `instead`.
    """
    if not is_finite(value) or value <= 0:
        raise ValueError(f"`{name}` must be a finite number > 0{instead}. Got {value!r}.")
    return float(value)


def check_num_classes(num_classes: int) -> int:
    """Return K as a plain integer, or raise ValueError: it is whole and >= 2."""
    if not is_whole(num_classes, least=2):
        raise ValueError(f"`num_classes` must be a whole number >= 2. Got {num_classes!r}.")
    return int(num_classes)


def check_share(share: float, name: str) -> float:
    """Return a share as a float, or raise ValueError: 0 <= share < 1."""
    if not is_finite(share) or not 0 <= share < 1:
        raise ValueError(f"`{name}` must be at least 0 and below 1. Got {share!r}.")
    return float(share)


def in_class_order(values: Iterable[Any], name: str) -> list[Any]:
    """Return the values as a list, or raise ValueError for a mapping or a set.

    Going through a mapping gives its keys, which would be taken for the values.
    """
    if isinstance(values, Mapping | Set):
        raise ValueError(
            f"`{name}` must be a list in the order of the classes, for example [0.25, 0.75]; "
            f"a mapping or a set has no such order. Got {values!r}."
        )
    return list(values)


def check_weights(weights: Iterable[float], name: str) -> list[float]:
    """Return one weight per class as a list of floats, or raise ValueError unless all are > 0."""
    values = in_class_order(weights, name)
    if len(values) < 2 or not all(is_finite(value) and value > 0 for value in values):
        raise ValueError(
            f"`{name}` must hold one finite number > 0 for each of at least two classes. "
            f"Got {values}."
        )
    return [float(value) for value in values]


def check_counts(class_counts: Iterable[int]) -> list[int]:
    """Return the counts as plain integers, or raise ValueError unless all are whole and > 0."""
    values = in_class_order(class_counts, "class_counts")
    if len(values) < 2 or not all(is_whole(value) for value in values):
        raise ValueError(
            "`class_counts` must hold a whole number > 0 of training examples for each of at "
            f"least two classes. Got {values}."
        )
    return [int(value) for value in values]


def check_alpha(alpha: Alpha) -> float | list[float] | None:
    """Return alpha as None, a float > 0 or a list of them, or raise ValueError."""
    if alpha is None:
        return None
    if isinstance(alpha, Iterable) and not isinstance(alpha, str):
        return check_weights(alpha, "alpha")
    return check_positive(alpha, "alpha", ", one per class, or None for no weighting")
