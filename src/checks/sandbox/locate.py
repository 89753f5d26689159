"""Finds what MODULE:NAME and FILE.py:NAME point at, without importing or running any of it."""

from __future__ import annotations

import ast
import difflib
import sys
from dataclasses import dataclass
from importlib.machinery import PathFinder
from pathlib import Path

from src.errors import UserError


@dataclass(frozen=True)
class Place:
    """Where a component is.

    Attributes:
        text: as it was typed.
        module: dotted name, or None for a file.
        file: the file, or None where the module is no Python file.
        name: of the component in it.
    """

    text: str
    module: str | None
    file: Path | None
    name: str


def place(text: str) -> Place:
    """Reads MODULE:NAME or FILE.py:NAME.

    Args:
        text: as typed.

    Raises:
        UserError: it is not of that form, or there is no such module, file or name.
    """
    where, colon, name = text.rpartition(":")
    if not colon or not where or not name.isidentifier():
        raise UserError(
            f"{text}: name a component as MODULE:NAME or FILE.py:NAME, for example "
            "src.components:MacroF1 or homework/my_loss.py:focal_loss"
        )
    if where.endswith(".py") or "/" in where:
        file = Path(where)
        if not file.is_file():
            near = difflib.get_close_matches(file.name, _names_beside(file))
            raise UserError(f"{text}: there is no file {file}{_or(near)}")
        _require_name(text, file, name)
        return Place(text, None, file.resolve(), name)
    found = _module_file(where, text)
    if found is not None:
        _require_name(text, found, name)
    return Place(text, where, found, name)


def _names_beside(file: Path) -> list[str]:
    return [other.name for other in file.parent.glob("*.py")] if file.parent.is_dir() else []


def _module_file(module: str, text: str) -> Path | None:
    """The file of a dotted module; packages on the way are found, not imported."""
    path: list[str] | None = [str(Path.cwd()), *sys.path]
    done: list[str] = []
    origin: str | None = None
    for part in module.split("."):
        spec = PathFinder.find_spec(".".join([*done, part]), path) if path is not None else None
        if spec is None:
            near = difflib.get_close_matches(part, _modules_in(path or []))
            within = f" in {'.'.join(done)}" if done else ""
            raise UserError(f"{text}: there is no module {part}{within}{_or(near)}")
        done.append(part)
        locations = spec.submodule_search_locations
        path = list(locations) if locations is not None else None
        origin = spec.origin
    return Path(origin) if origin and origin.endswith(".py") else None


def _modules_in(folders: list[str]) -> list[str]:
    paths = [path for folder in folders if Path(folder).is_dir() for path in Path(folder).iterdir()]
    return [p.stem for p in paths if p.suffix == ".py" or (p.is_dir() and p.name.isidentifier())]


def _require_name(text: str, file: Path, name: str) -> None:
    """Raises a UserError where a file that says all its names does not say this one."""
    names = _names_in(file, text)
    if names is not None and name not in names:
        near = difflib.get_close_matches(name, sorted(names), n=3, cutoff=0.5)
        raise UserError(f"{text}: {file} has no {name}{_or(near)}")


def _names_in(file: Path, text: str) -> set[str] | None:
    """Names bound at a file's top level, or None where only running it would tell."""
    try:
        tree = ast.parse(file.read_text(encoding="utf-8"))
    except (SyntaxError, ValueError) as error:
        raise UserError(f"{text}: {file} is not valid Python: {error}") from error
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and any(a.name == "*" for a in node.names):
            return None
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {alias.asname or alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
    return None if "__getattr__" in names else names


def _or(near: list[str]) -> str:
    return f"; did you mean {', '.join(near)}?" if near else ""
