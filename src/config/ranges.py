"""Legal values of config keys, as pydantic annotations that the schemas share."""

import math
from typing import Annotated, Any

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

AUTO = "auto"
"""A value that is filled in from the data."""

Count = Annotated[int, Field(ge=1)]
NonNegativeInt = Annotated[int, Field(ge=0)]
Seed = Annotated[int, Field(ge=0, le=2**32 - 1)]
NonNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Fraction = Annotated[float, Field(gt=0, lt=1)]
UnitInterval = Annotated[float, Field(ge=0, le=1)]
HalfOpenUnit = Annotated[float, Field(ge=0, lt=1)]
AtLeastOne = Annotated[float, Field(ge=1, allow_inf_nan=False)]


def one_of(*values: str) -> AfterValidator:
    """A check that a string is one of ``values``; the error lists them."""

    def check(value: str) -> str:
        if value not in values:
            raise ValueError(f"must be one of {', '.join(values)}")
        return value

    return AfterValidator(check)


def _or_auto(kind: Any) -> AfterValidator:
    """A check that a value is ``auto`` or meets ``kind``, another annotation of this module."""
    adapter: TypeAdapter[Any] = TypeAdapter(kind)

    def check(value: Any) -> Any:
        if value == AUTO:
            return value
        try:
            return adapter.validate_python(value, strict=True)
        except ValidationError as error:
            first = error.errors()[0]
            place = "".join(f"[{part}]" for part in first["loc"])
            raise PydanticCustomError(
                "or_auto",
                "{place}{reason}, or auto",
                {"place": f"{place} " if place else "", "reason": first["msg"]},
            ) from error

    return AfterValidator(check)


AutoCount = Annotated[Any, _or_auto(Count)]
AutoCounts = Annotated[Any, _or_auto(list[Count])]
AutoHalfOpenUnit = Annotated[Any, _or_auto(HalfOpenUnit)]


def _is_positive(value: Any) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and math.isfinite(value) and value > 0


def _check_alpha(value: Any) -> Any:
    entries = value if isinstance(value, list) and value else [value]
    if value is None or all(_is_positive(entry) for entry in entries):
        return value
    raise ValueError("must be a positive number, a list with one positive number a class, or null")


Alpha = Annotated[Any, AfterValidator(_check_alpha)]
"""Weight of a loss: one positive number, one a class, or none."""


def _check_target(node: dict[str, Any]) -> dict[str, Any]:
    target = node.get("_target_")
    if not isinstance(target, str) or "." not in target:
        raise ValueError("needs a _target_: the dotted path of a class or function")
    return node


Target: AfterValidator = AfterValidator(_check_target)
"""A node that Hydra instantiates."""
