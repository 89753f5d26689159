"""Holds one value against an annotation, and says in words what is wrong with it.

msgspec knows what a type takes and compares with the bounds; it is imported in 3 ms, so that a
wrong value is answered about as quickly as a misspelt one.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import msgspec

from src.errors import UserError

KINDS = {
    "int": "integer",
    "float": "number",
    "bool": "boolean",
    "str": "string",
    "array": "list",
    "object": "dictionary",
}
"""What msgspec calls a type, and what a message calls it."""
BOUNDS = {
    ">=": "greater than or equal to",
    ">": "greater than",
    "<=": "less than or equal to",
    "<": "less than",
}
OUT_OF_BOUNDS = re.compile(r"Expected `\w+` (>=|>|<=|<) (\S+)")
NOT_THE_TYPE = re.compile(r"Expected `(\w+)`, got")

Problem = tuple[tuple[int, ...], str]
"""The places of an entry, in a list within a list, none for the value itself; and the reason."""


@dataclass(frozen=True)
class Check:
    """A check before that of type and bounds; it raises ValueError with what would be right."""

    function: Callable[[Any], None]


def problems(value: Any, hint: Any, *, strict: bool = False) -> Iterator[Problem]:
    """What is wrong with a value.

    Args:
        value: plain, as YAML gives it.
        hint: a type, with ``msgspec.Meta`` for its bounds and :class:`Check` where annotated.
        strict: whether text that reads as a number is refused.

    Yields:
        Each wrong entry of a list, or at most one problem of anything else.
    """
    if get_origin(hint) in (Union, UnionType):
        (hint,) = (kind for kind in get_args(hint) if kind is not NoneType)  # X | None
        if value is None:
            return
    kind, *marks = get_args(hint) if get_origin(hint) is Annotated else (hint,)
    for mark in marks:
        if isinstance(mark, Check):
            try:
                mark.function(value)
            except ValueError as error:
                yield (), str(error)
                return
    if get_origin(kind) is list and isinstance(value, list):
        for place, entry in enumerate(value):
            for places, reason in problems(entry, *get_args(kind), strict=strict):
                yield (place, *places), reason
        return
    try:
        msgspec.convert(value, hint, strict=strict)
    except msgspec.ValidationError as error:
        yield (), in_words(str(error))


def require(key: str, value: Any, hint: Any) -> None:
    """Refuses a wrong value of a key below ``hydra``, which no schema checks.

    Raises:
        UserError: names the key, the value and what is legal.
    """
    for _, reason in problems(value, hint, strict=True):
        raise UserError(f"{key}={value}: {reason}")


def in_words(said: str) -> str:
    """What msgspec says of a value, such as ``Expected `int` >= 1``, as this project says it."""
    if found := OUT_OF_BOUNDS.match(said):
        sign, bound = found.groups()
        return f"must be {BOUNDS[sign]} {bound.removesuffix('.0')}"
    if (found := NOT_THE_TYPE.match(said)) and found[1] in KINDS:
        return f"must be a valid {KINDS[found[1]]}"
    return said
