"""Legal values of config keys, as annotations that the schemas share and pydantic checks.

Nothing here imports pydantic, so that commands which only show a config go without it.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from annotated_types import Ge, Gt, Le, Lt

AUTO = "auto"
"""A value that is filled in from the data."""


@dataclass(frozen=True)
class Check:
    """A check after pydantic's own; its function returns the value or raises ValueError."""

    function: Callable[[Any], Any]

    def __get_pydantic_core_schema__(self, source: Any, handler: Callable[[Any], Any]) -> Any:
        """What pydantic asks of an annotation."""
        from pydantic_core.core_schema import no_info_after_validator_function

        return no_info_after_validator_function(self.function, handler(source))


def _check_finite(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError("must be a finite number")
    return value


FINITE = Check(_check_finite)

Count = Annotated[int, Ge(1)]
NonNegativeInt = Annotated[int, Ge(0)]
Seed = Annotated[int, Ge(0), Le(2**32 - 1)]
NonNegative = Annotated[float, FINITE, Ge(0)]
Positive = Annotated[float, FINITE, Gt(0)]
Fraction = Annotated[float, Gt(0), Lt(1)]
UnitInterval = Annotated[float, Ge(0), Le(1)]
HalfOpenUnit = Annotated[float, Ge(0), Lt(1)]
AtLeastOne = Annotated[float, FINITE, Ge(1)]


def one_of(*values: str) -> Check:
    """A check that a string is one of ``values``; the error lists them."""

    def check(value: str) -> str:
        if value not in values:
            raise ValueError(f"must be one of {', '.join(values)}")
        return value

    return Check(check)


def _or_auto(kind: Any) -> Check:
    """A check that a value is ``auto`` or meets ``kind``, another annotation of this module."""

    def check(value: Any) -> Any:
        from pydantic import TypeAdapter, ValidationError
        from pydantic_core import PydanticCustomError

        if value == AUTO:
            return value
        try:
            return TypeAdapter(kind).validate_python(value, strict=True)
        except ValidationError as error:
            first = error.errors()[0]
            place = "".join(f"[{part}]" for part in first["loc"])
            raise PydanticCustomError(
                "or_auto",
                "{place}{reason}, or auto",
                {"place": f"{place} " if place else "", "reason": first["msg"]},
            ) from error

    return Check(check)


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


Alpha = Annotated[Any, Check(_check_alpha)]
"""Weight of a loss: one positive number, one a class, or none."""


def _check_target(node: dict[str, Any]) -> dict[str, Any]:
    target = node.get("_target_")
    if not isinstance(target, str) or "." not in target:
        raise ValueError("needs a _target_: the dotted path of a class or function")
    return node


Target: Check = Check(_check_target)
"""A node that Hydra instantiates."""
