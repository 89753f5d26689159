"""Checks that a component uses what its constructor is given, by the names in its source."""

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator
from typing import Any

from src.checks.construct import parameters_of, takes_predictions
from src.checks.registry import DoesNotApply, Fails, check

UNREADABLE = {"vars", "getattr", "locals", "__dict__"}
"""Names that read others without naming them."""


@check("loss", "metric", "layer", "model")
def uses_every_argument(subject: Any) -> str:
    """No argument is ignored, or kept for `get_config` alone."""
    source = subject.recipe.source
    home = source
    if inspect.isclass(source):
        home = next(base for base in source.__mro__ if "__init__" in vars(base))
    if home.__module__.startswith("keras."):
        raise DoesNotApply("its arguments are those of Keras")
    try:
        unused = unused_arguments(source)
    except (OSError, TypeError, SyntaxError) as error:
        raise DoesNotApply("its source cannot be read") from error
    if unused:
        raise Fails(f"{', '.join(unused)}: nothing is computed from it")
    return "each is used"


def unused_arguments(source: Callable[..., Any]) -> list[str]:
    """Arguments of a class's constructor, or of a function, that no computation depends on."""
    names = [
        name
        for name, parameter in parameters_of(source).items()
        if parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL)
    ]
    if not inspect.isclass(source):
        names = names[2:] if takes_predictions(source) else names
    reads, depends = set[str](), dict[str, set[str]]()
    overridden = {"get_config", "from_config"}
    for part in source.__mro__[:-1] if inspect.isclass(source) else (source,):
        for function in _functions(part):
            if function.name not in overridden:
                _follow(function.body, reads, depends)
            if function.name not in _loads(function):  # it does not call the inherited one
                overridden.add(function.name)
        if part.__module__.startswith("keras."):
            reads -= UNREADABLE
    if reads & UNREADABLE:
        return []
    for name in (waiting := [*reads]):  # which grows on the way
        new = depends.pop(name, set()) - reads
        reads |= new
        waiting += new
    return [name for name in names if name not in reads]


def _functions(source: Callable[..., Any]) -> Iterator[ast.FunctionDef]:
    """The functions of a class, or a function by itself."""
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(source))).body
    if not isinstance(tree, ast.ClassDef | ast.FunctionDef):
        raise TypeError("a function without a name")
    for node in tree.body if isinstance(tree, ast.ClassDef) else (tree,):
        if isinstance(node, ast.FunctionDef):
            yield node


def _follow(body: list[ast.stmt], reads: set[str], depends: dict[str, set[str]]) -> None:
    """Notes what is read, and for each name or attribute that is set, what it is made from."""
    for statement in body:
        if isinstance(statement, ast.If) and all(isinstance(s, ast.Raise) for s in statement.body):
            _follow(statement.orelse, reads, depends)  # to refuse a value is not to use it
        elif isinstance(statement, ast.Assert):
            continue
        elif isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign):
            targets = getattr(statement, "targets", [getattr(statement, "target", None)])
            for name in {_name(node) for target in targets for node in ast.walk(target)}:
                depends.setdefault(name, set()).update(_loads(statement))
        elif hasattr(statement, "body") and not isinstance(statement, ast.FunctionDef):
            for field, value in ast.iter_fields(statement):
                if field in ("body", "orelse", "finalbody"):
                    _follow(value, reads, depends)
                else:
                    nodes = value if isinstance(value, list) else [value]
                    reads.update(*(_loads(node) for node in nodes if isinstance(node, ast.AST)))
        else:
            reads |= _loads(statement)


def _loads(node: ast.AST) -> set[str]:
    """Names and attributes that are read within a node."""
    found = (n for n in ast.walk(node) if isinstance(getattr(n, "ctx", None), ast.Load))
    return {_name(n) for n in found} - {"self", ""}


def _name(node: ast.AST) -> str:
    """Of a variable, or of an attribute of the component."""
    return getattr(node, "id", "") or getattr(node, "attr", "")
