"""Finds the component that MODULE:NAME or FILE.py:NAME names, without running any code."""

import ast
import difflib
import sys
from collections.abc import Iterable
from importlib.machinery import PathFinder
from pathlib import Path

from src.checks.language import mistake, say


def locate(text: str) -> dict[str, str]:
    """Reads MODULE:NAME or FILE.py:NAME.

    Returns:
        The `name` of the component and its `module`, or its `file`.

    Raises:
        UserError: it is not of that form, or there is no such module, file or name.
    """
    if Path(text).is_dir():
        raise mistake("{}: is a folder; --submissions {} grades the files in it", text, text)
    if text.endswith(".py") and Path(text).is_file():
        ones = ", ".join(f"{text}:{name}" for name in _defined_in(text, Path(text)))
        raise mistake("{}: say which component of it, {}", text, ones or f"{text}:NAME")
    where, colon, name = text.rpartition(":")
    if not colon or not where or not name.isidentifier():
        raise mistake(
            "{}: name a component as MODULE:NAME or FILE.py:NAME, for example "
            "src.components:MacroF1 or homework/my_loss.py:focal_loss",
            text,
        )
    is_file = where.endswith(".py") or "/" in where
    file = _existing(text, Path(where)).resolve() if is_file else _module_file(text, where)
    names = _names_in(text, file) if file is not None else None
    if names is not None and name not in names:
        raise mistake("{}: {} has no {}{}", text, file, name, _or_near(name, names))
    return {"name": name, "file": str(file)} if is_file else {"name": name, "module": where}


def _existing(text: str, file: Path) -> Path:
    if not file.is_file():
        beside = (other.name for other in file.parent.glob("*.py"))
        raise mistake("{}: there is no file {}{}", text, file, _or_near(file.name, beside))
    return file


def _module_file(text: str, module: str) -> Path | None:
    """The file of a dotted module; packages on the way are found, not imported."""
    path = [str(Path.cwd()), *sys.path]
    within, origin = "", None
    for part in module.split("."):
        spec = PathFinder.find_spec(f"{within}.{part}".lstrip("."), path) if path else None
        if spec is None:
            folders = [Path(folder) for folder in path if Path(folder).is_dir()]
            beside = (entry.stem for folder in folders for entry in folder.iterdir())
            missing = say("{} in {}", part, within) if within else part
            raise mistake("{}: there is no module {}{}", text, missing, _or_near(part, beside))
        within, origin = f"{within}.{part}".lstrip("."), spec.origin
        path = list(spec.submodule_search_locations or ())
    return Path(origin) if origin and origin.endswith(".py") else None


def _parsed(text: str, file: Path) -> ast.Module:
    try:
        return ast.parse(file.read_text(encoding="utf-8"))
    except (SyntaxError, ValueError) as error:
        raise mistake("{}: {} is not valid Python: {}", text, file, error) from error


def _defined_in(text: str, file: Path) -> list[str]:
    """Public functions and classes of a file."""
    nodes = _parsed(text, file).body
    names = [node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    return [name for name in names if not name.startswith("_")]


def _names_in(text: str, file: Path) -> set[str] | None:
    """Names bound at a file's top level, or None where only running it would tell."""
    names: set[str] = set()
    for node in ast.walk(_parsed(text, file)):
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {alias.asname or alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
    return None if names & {"*", "__getattr__"} else names


def _or_near(name: str, names: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, sorted(set(names)), n=3, cutoff=0.5)
    return say("; did you mean {}?", ", ".join(near)) if near else ""
