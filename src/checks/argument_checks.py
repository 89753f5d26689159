"""Checks that a component uses what its constructor is given, by the names in its source."""

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator
from typing import Any

from src.checks.construct import parameters_of, takes_predictions
from src.checks.language import say
from src.checks.registry import DoesNotApply, Fails, check

UNREADABLE = {"vars", "getattr", "locals", ".__dict__"}
"""Names that read others without naming them."""
LIBRARIES = ("keras", "tensorflow")


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
        raise Fails("{}: nothing is computed from it", ", ".join(unused))
    return say("each is used")


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
    own = ""
    for part in source.__mro__[:-1] if inspect.isclass(source) else (source,):
        for function in _functions(part):
            scope = f"{part.__qualname__}.{function.name}:"
            if function.name in ("__init__", source.__name__):
                own = own or scope
            if function.name not in overridden:
                _follow(function.body, scope, reads, depends)
            if f".{function.name}" not in _loads(function, scope):  # nor calls the inherited one
                overridden.add(function.name)
        library = part.__module__.partition(".")[0] in LIBRARIES
        if not library and any(name.rpartition(":")[2] in UNREADABLE for name in reads):
            return []
        reads = {name for name in reads if name.rpartition(":")[2] not in UNREADABLE}
    for name in (waiting := [*reads]):  # which grows meanwhile
        new = depends.pop(name, set()) - reads
        reads |= new
        waiting += new
    return [name for name in names if own + name not in reads]


def _functions(source: Callable[..., Any]) -> Iterator[ast.FunctionDef]:
    """The functions of a class, or a function by itself."""
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(source))).body
    if not isinstance(tree, ast.ClassDef | ast.FunctionDef):
        raise TypeError("a function without a name")
    for node in tree.body if isinstance(tree, ast.ClassDef) else (tree,):
        if isinstance(node, ast.FunctionDef):
            yield node


def _follow(
    body: list[ast.stmt], scope: str, reads: set[str], depends: dict[str, set[str]]
) -> None:
    """Notes what is read, and for each name or attribute that is set, what it is made from."""
    for statement in body:
        if isinstance(statement, ast.If) and all(isinstance(s, ast.Raise) for s in statement.body):
            _follow(statement.orelse, scope, reads, depends)  # to refuse a value is not to use it
        elif isinstance(statement, ast.Assert):
            continue
        elif isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign):
            targets = getattr(statement, "targets", [getattr(statement, "target", None)])
            for name in {_name(node, scope) for target in targets for node in ast.walk(target)}:
                depends.setdefault(name, set()).update(_loads(statement, scope))
        elif hasattr(statement, "body") and not isinstance(statement, ast.FunctionDef):
            for field, value in ast.iter_fields(statement):
                if field in ("body", "orelse", "finalbody"):
                    _follow(value, scope, reads, depends)
                else:
                    nodes = value if isinstance(value, list) else [value]
                    for node in nodes:
                        reads |= _loads(node, scope) if isinstance(node, ast.AST) else set()
        else:
            reads |= _loads(statement, scope)


def _loads(node: ast.AST, scope: str) -> set[str]:
    """Names and attributes that are read within a node."""
    found = (n for n in ast.walk(node) if isinstance(getattr(n, "ctx", None), ast.Load))
    return {_name(n, scope) for n in found} - {""}


def _name(node: ast.AST, scope: str) -> str:
    """An attribute, whose it may be, as `.name`; a variable with the function that it is of."""
    if isinstance(node, ast.Attribute):
        return f".{node.attr}"
    return f"{scope}{node.id}" if isinstance(node, ast.Name) and node.id != "self" else ""
