"""Legal values of config keys, as annotations that the schemas share."""

import math
from typing import Annotated, Any

from msgspec import Meta

from src.config.legal import Check, problems

AUTO = "auto"
"""A value that is filled in from the data."""


def _check_finite(value: Any) -> None:
    try:
        finite = math.isfinite(float(value))
    except OverflowError:
        finite = False
    except (TypeError, ValueError):
        return  # no number: the type says so
    if not finite:
        raise ValueError("must be a finite number")


FINITE = Check(_check_finite)

Count = Annotated[int, Meta(ge=1, le=1_000_000)]
Width = Annotated[int, Meta(ge=1, le=16_384)]
"""Of a layer; two such layers have a gigabyte of weights between them."""
Side = Annotated[int, Meta(ge=1, le=1024)]
"""Of an image, in pixels."""
Processors = Annotated[int, Meta(ge=1, le=1024)]
NonNegativeInt = Annotated[int, Meta(ge=0, le=1_000_000)]
Seed = Annotated[int, Meta(ge=0, le=2**32 - 1)]
NonNegative = Annotated[float, FINITE, Meta(ge=0)]
Positive = Annotated[float, FINITE, Meta(gt=0)]
Fraction = Annotated[float, Meta(gt=0, lt=1)]
UnitInterval = Annotated[float, Meta(ge=0, le=1)]
HalfOpenUnit = Annotated[float, Meta(ge=0, lt=1)]
AboveZeroToOne = Annotated[float, Meta(gt=0, le=1)]
AtLeastMinusOne = Annotated[float, FINITE, Meta(ge=-1)]
AtLeastOne = Annotated[float, FINITE, Meta(ge=1)]


def one_of(*values: str, why: str = "") -> Check:
    """A check that a string is one of ``values``; the error lists them, and says why."""

    def check(value: Any) -> None:
        if value not in values:
            raise ValueError(f"must be one of {', '.join(values)}{why and f': {why}'}")

    return Check(check)


def filled(said: str) -> Check:
    """A check that a value is not empty; the error says what it must be."""

    def check(value: Any) -> None:
        if not value:
            raise ValueError(f"must {said}")

    return Check(check)


def _or_auto(kind: Any) -> Check:
    """A check that a value is ``auto`` or meets ``kind``, another annotation of this module."""

    def check(value: Any) -> None:
        first = None if value == AUTO else next(problems(value, kind, strict=True), None)
        if first:
            places, reason = first
            entry = "".join(f"[{place}]" for place in places)
            raise ValueError(f"{entry} {reason}, or auto".lstrip())

    return Check(check)


AutoProcessors = Annotated[Any, _or_auto(Processors)]
AutoCount = Annotated[Any, _or_auto(Count)]
AutoWidth = Annotated[Any, _or_auto(Width)]
AutoWidths = Annotated[Any, _or_auto(list[Width])]
AutoHalfOpenUnit = Annotated[Any, _or_auto(HalfOpenUnit)]


def _check_depth(value: Any) -> None:
    whole = isinstance(value, int) and not isinstance(value, bool)
    if value != AUTO and not (whole and 8 <= value <= 1_000 and value % 6 == 2):
        raise ValueError("must be 6n + 2, such as 20, 32, 44 or 56, or auto")


AutoDepth = Annotated[Any, Check(_check_depth)]
"""Layers of a residual network that have weights."""


def _check_size(value: Any) -> None:
    pair = isinstance(value, list) and len(value) == 2
    if value in (None, AUTO) or (pair and not any(True for _ in problems(value, list[Side]))):
        return
    raise ValueError("must be [height, width] in pixels, as in [96,96], at most 1024 each, or auto")


AutoSize = Annotated[Any, Check(_check_size)]
"""Of images, or none."""


def _check_options(value: Any) -> None:
    if value is not None and not (isinstance(value, dict) and all(map(str.isidentifier, value))):
        raise ValueError("must be arguments by name, as in '{alpha: 0.35}', or null")


Options = Annotated[Any, Check(_check_options)]
"""Arguments of a function, or none."""


def _is_positive(value: Any) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and math.isfinite(value) and value > 0


def _check_alpha(value: Any) -> None:
    entries = value if isinstance(value, list) and value else [value]
    if value not in (None, AUTO) and not all(_is_positive(entry) for entry in entries):
        raise ValueError(
            "must be a positive number, a list with one positive number per class, auto "
            "(by inverse frequency), or null"
        )


Alpha = Annotated[Any, Check(_check_alpha)]
"""Weight of a loss: one positive number, one per class, by inverse frequency, or none."""


STRATEGIES = ("auto", "minority", "not minority", "not majority", "all")


def _check_strategy(value: Any) -> None:
    ratio = isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= 1
    if not ratio and value not in STRATEGIES:
        raise ValueError(
            f"must be one of {', '.join(STRATEGIES)}, or for two classes the rows of the small one "
            "per row of the large one, above 0 and at most 1"
        )


SamplingStrategy = Annotated[Any, Check(_check_strategy)]
"""Of imbalanced-learn: which classes are sampled, and to what size."""


def _check_target(node: Any) -> None:
    target = node.get("_target_") if isinstance(node, dict) else None
    if not isinstance(target, str) or "." not in target:
        raise ValueError("needs a _target_: the dotted path of a class or function")


Target = Check(_check_target)
"""A node that Hydra instantiates."""
