"""The source files behind a module: its own, and those of every module that it imports.

They are found from syntax trees alone; nothing is imported or executed. Modules of the standard
library and of installed packages are left out: their versions stand for them. An import whose name
is computed when the program runs is not seen.
"""

import ast
import importlib.util
import sysconfig
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import accumulate
from pathlib import Path

INSTALLED = {"site-packages", "dist-packages"}
"""Folders that package managers install into."""
STDLIB = sysconfig.get_path("stdlib")
IMPORTERS = ("import_module", "__import__")


def source_closure(names: Iterable[str]) -> dict[str, Path]:
    """The modules and all that they import, directly or not.

    A package's ``__init__`` counts among what its modules import, for Python executes it first.
    Modules that are installed or not found give nothing.

    Returns:
        The file of each module, by its dotted name, sorted.
    """
    found: dict[str, Path] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name in found or (file := module_file(name)) is None:
            continue
        found[name] = file
        waiting += accumulate(name.split(".")[:-1], "{}.{}".format)
        waiting += _imported_names(file, name)
    return dict(sorted(found.items()))


def module_of(target: str) -> str | None:
    """The module in which a dotted path of a class or function lies.

    Returns:
        Its dotted name; None where it is installed or not found.
    """
    packages = list(accumulate(target.split(".")[:-1], "{}.{}".format))
    return next((name for name in reversed(packages) if module_file(name) is not None), None)


def module_file(name: str) -> Path | None:
    """The file of a module that is not installed, found without importing it."""
    top, *rest = name.split(".")
    folder = _import_folder(top)
    if folder is None:
        return None
    path = folder.joinpath(top, *rest)
    files = (path / "__init__.py", path.with_name(f"{path.name}.py"))
    return next((file for file in files if file.is_file()), None)


@cache
def normalized_source(file: Path) -> str:
    """A file's code without what changes no result: comments, docstrings and formatting.

    Read once in a process, which goes on with the code that it began with. A file that does not
    parse is given as it is.
    """
    tree = _parse(file)
    if tree is None:
        return file.read_text(encoding="utf-8", errors="surrogateescape")
    return ast.unparse(_WithoutDocstrings().visit(tree))


class _WithoutDocstrings(ast.NodeTransformer):
    """Drops each statement that is nothing but a string."""

    def visit_Expr(self, node: ast.Expr) -> ast.Expr | None:
        """Docstrings of modules, classes and functions, and those below an assignment."""
        value = node.value
        return None if isinstance(value, ast.Constant) and isinstance(value.value, str) else node


def _import_folder(top: str) -> Path | None:
    """The folder that a top-level name is imported from; None for what is installed or missing."""
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError):
        return None
    if spec is None:
        return None
    origin = spec.origin if spec.has_location else None
    first = next(iter(spec.submodule_search_locations or ()), origin)
    if first is None or Path(first).is_relative_to(STDLIB):
        return None
    return Path(first).parent if INSTALLED.isdisjoint(Path(first).parts) else None


def _imported_names(file: Path, name: str) -> Iterator[str]:
    """Dotted names that may be modules; one of ``from a import b`` is ``a.b``."""
    tree = _parse(file)
    if tree is None:
        return
    package = name if file.name == "__init__.py" else name.rpartition(".")[0]
    for node in _executed_nodes(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = imported_from(node, package)
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(IMPORTERS):
            yield from (str(word.value) for word in node.args[:1] if isinstance(word, ast.Constant))


def _executed_nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """All nodes but those that only a type checker reads."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            yield from _executed_nodes(ast.Module(node.orelse, []))
        else:
            yield node
            yield from _executed_nodes(node)


def imported_from(node: ast.ImportFrom, package: str) -> str:
    """The module that ``from ... import`` names; one dot more is one package further up."""
    if not node.level:
        return node.module or ""
    parts = package.split(".")
    parts = parts[: len(parts) - (node.level - 1)]
    return ".".join([*parts, node.module] if node.module else parts)


def _parse(file: Path) -> ast.Module | None:
    try:
        return ast.parse(file.read_bytes())
    except (SyntaxError, ValueError):
        return None
