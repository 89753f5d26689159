"""Checks the arguments of a source by its schema, also where it is called without a config."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, get_origin, get_type_hints

from src.config.legal import problems
from src.data.errors import DataError
from src.errors import override

P = ParamSpec("P")
R = TypeVar("R")


def checked_by(schema: type) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Makes a source check its arguments by the fields of the same names of a dataclass."""

    def decorate(load: Callable[P, R]) -> Callable[P, R]:
        signature = inspect.signature(load)

        @wraps(load)
        def checked(*args: P.args, **kwargs: P.kwargs) -> R:
            hints = get_type_hints(schema, include_extras=True)
            given = signature.bind(*args, **kwargs).arguments
            for parameter in signature.parameters.values():
                if parameter.kind is parameter.VAR_KEYWORD:
                    given |= given.pop(parameter.name, {})
            for name, value in given.items():
                if name not in hints:  # the function itself refuses it
                    continue
                key = f"data.{name}"
                if isinstance(value, str) and get_origin(hints[name]) is list:
                    right = override(key, [value])
                    raise DataError(f"{key}={value!r} must be a list, such as {right}.")
                for path, reason in problems(_plain(value), hints[name], strict=True):
                    entry = "".join(f"[{index}]" for index in path)
                    raise DataError(f"{key}{entry}={value!r} {reason}.")
            return load(*args, **kwargs)

        return checked

    return decorate


def _plain(value: Any) -> Any:
    """The value as YAML would give it."""
    if isinstance(value, Path):
        return str(value)
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str) else value
