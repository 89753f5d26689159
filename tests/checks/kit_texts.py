"""All texts that the kit says, taken from its source: what a translation has to hold."""

import ast
from collections.abc import Iterator
from pathlib import Path

from jinja2 import Environment, nodes

from src.checks.registry import KINDS, advice_of

ROOT = Path(__file__).parents[2]
SOURCES = [ROOT / "src/check.py", *sorted((ROOT / "src/checks").rglob("*.py"))]
SAYING = ("say", "marked", "mistake", "Fails", "Warns", "DoesNotApply")
RAISED = ("UserError", "failing")


def texts() -> Iterator[str]:
    """Every English text, some of them more than once."""
    for tree in map(parsed, SOURCES):
        for call in calls(tree, SAYING):
            if call.args and isinstance(call.args[0], ast.Constant):
                yield call.args[0].value
    for kind in KINDS:
        for advice in advice_of(kind).values():
            yield from (advice["why"], advice["mend"])
    for template in (ROOT / "src/checks").rglob("*.j2"):
        for call in Environment().parse(template.read_text("utf-8")).find_all(nodes.Call):
            if isinstance(call.node, nodes.Name) and call.node.name == "say":
                yield call.args[0].value


def bare_texts() -> Iterator[str]:
    """Words that are raised, or returned by a check, without `say`."""
    for file in SOURCES:
        tree = parsed(file)
        checks = [
            node
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef)
            and any(isinstance(d, ast.Call) and called(d) == "check" for d in node.decorator_list)
        ]
        said = [call.args[0] for call in calls(tree, RAISED) if call.args]
        said += [
            call.args[0]
            for call in calls(tree, SAYING)
            if call.args and not isinstance(call.args[0], ast.Constant)
        ]
        said += [
            node.value
            for check in checks
            for node in ast.walk(check)
            if isinstance(node, ast.Return) and node.value is not None
        ]
        for expression in said:
            yield from (f"{file.name}: {text}" for text in words_in(expression))


def words_in(node: ast.AST) -> Iterator[str]:
    """Texts with a blank within an expression, those in calls of others aside."""
    if isinstance(node, ast.Call):
        return
    if isinstance(node, ast.Constant) and " " in str(node.value).strip():
        yield str(node.value)
    for child in ast.iter_child_nodes(node):
        yield from words_in(child)


def parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_text("utf-8"))


def called(call: ast.Call) -> str:
    return getattr(call.func, "id", "")


def calls(tree: ast.AST, names: tuple[str, ...]) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and called(node) in names:
            yield node
