"""Public names of libraries alone; what must touch their inside stands in `src/compat`."""

import ast
import importlib
import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.checkout import ROOT, tracked

OURS = {"src", "tests", "benchmarks", "hydra_plugins", "train"}
"""Top-level names that are no library's."""
INTERNAL = re.compile(
    r"(keras\.src|hydra\._internal|tensorflow\.python|mlflow\.store|joblib\.externals)\b"
    r"|mlflow\.(.+\.)?dbmodels\b"
    r"|(.*\.)?_(?!_)"
)
"""Modules and names that their libraries keep for themselves."""
DOCUMENTED = {"os._exit"}
MOST_ENTRIES = 8
ENTRY = ("Version:", "Upstream: https://", "Without it:")
"""What the docstring of an entry in `src/compat` says."""


def module_name(file: Path) -> str:
    return ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def is_library(name: str) -> bool:
    top = name.partition(".")[0]
    return top not in OURS and top not in sys.stdlib_module_names


def imports(tree: ast.AST) -> dict[str, str]:
    """The dotted name behind each imported one; relative imports are ours."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                whole = alias.name if alias.asname else alias.name.partition(".")[0]
                found[alias.asname or whole] = whole
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            for alias in node.names:
                found[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return found


def own_private_names(trees) -> set[str]:
    """Underscore names that the project itself gives to something."""
    own = set()
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
                own.add(node.name)
            elif isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
                own.add(node.id if isinstance(node, ast.Name) else node.attr)
    return own


class Uses:
    """Looks through one file.

    Args:
        tree: of the file.
        known: by module of the project, the dotted name behind each name that it imports.
        own: underscore names of the project.
    """

    def __init__(self, tree, known=None, own=frozenset()):
        self.tree, self.known, self.own = tree, known or {}, own
        self.names = imports(tree)

    def dotted(self, node: ast.AST) -> str:
        """The dotted name that an expression leads to, through modules of ours; else empty."""
        if isinstance(node, ast.Name):
            return self.names.get(node.id, "")
        if isinstance(node, ast.Attribute) and (owner := self.dotted(node.value)):
            return self.known.get(owner, {}).get(node.attr, f"{owner}.{node.attr}")
        return ""

    def found(self) -> Iterator[tuple[int, str]]:
        """Line and words of each use of what is not public, or replacement of what is."""
        for node in ast.walk(self.tree):
            for said in self._said_of(node):
                yield node.lineno, said

    def _said_of(self, node: ast.AST) -> Iterator[str]:
        if isinstance(node, ast.Import):
            yield from self._internal(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield from self._internal(f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Attribute):
            name = self.dotted(node)
            yield from self._internal([name])
            is_ours = node.attr in self.own or name in DOCUMENTED or is_library(name or "src")
            if re.match("_(?!_)", node.attr) and not is_ours:
                yield f"uses .{node.attr}"
            if isinstance(node.ctx, ast.Store | ast.Del) and name and is_library(name):
                yield f"replaces {name}"
        elif isinstance(node, ast.Call) and node.args:
            yield from self._said_of_call(node)

    def _said_of_call(self, call: ast.Call) -> Iterator[str]:
        function = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        function = call.func.id if isinstance(call.func, ast.Name) else function
        first = call.args[0]
        text = first.value if isinstance(first, ast.Constant) else self.dotted(first)
        if not isinstance(text, str) or not re.fullmatch(r"[\w.]+", text) or not is_library(text):
            return
        is_text = isinstance(first, ast.Constant)
        if function in {"setattr", "delattr"} and ("." in text or not is_text):
            yield f"replaces a part of {text}"
        if function == "patch" and is_text and "." in text:
            yield f"replaces {text}"
        if function in {"import_module", "find_spec", "importorskip", "getattr"}:
            yield from self._internal([text])

    def _internal(self, names) -> Iterator[str]:
        for name in names:
            if name and is_library(name) and INTERNAL.match(name):
                yield f"uses {name}"


@pytest.fixture(scope="module")
def trees():
    """The syntax tree of each file of the project."""
    files = [ROOT / name for name in tracked("*.py")]
    return {file: ast.parse(file.read_text()) for file in files if file.is_file()}


def test_the_project_keeps_to_public_names_of_libraries(trees):
    own = own_private_names(trees.values())
    known = {module_name(file): imports(tree) for file, tree in trees.items()}
    found = [
        f"{file.relative_to(ROOT)}:{line}: {said}"
        for file, tree in trees.items()
        if not file.is_relative_to(ROOT / "src" / "compat")
        for line, said in Uses(tree, known, own).found()
    ]
    assert not found, "\n" + "\n".join(found)


@pytest.mark.parametrize(
    "code",
    [
        "import keras.src.saving",
        "from tensorflow.python.framework import ops",
        "import tensorflow as tf\ntf.python.ops",
        "import keras\nkeras.src.saving",
        "from hydra._internal.utils import run",
        "from mlflow.store.tracking import sqlalchemy_store",
        "from mlflow.utils.file_utils import _copy",
        "from joblib.externals import loky",
        "import mlflow\nmlflow.tracking._service",
        "model._flatten()",
        "import keras\nkeras.Model.fit = None",
        "import numpy as np\nnp.random.seed = 3",
        "import mlflow\nsetattr(mlflow.utils, 'look', None)",
        "import tensorflow as tf\nmonkeypatch.setattr(tf.nn, 'relu', None)",
        "patch.setattr('mlflow.start_run', None)",
        "from src.runs import outputs\npatch.setattr(outputs.np, 'savez', None)",
        "from unittest import mock\nmock.patch('keras.Model.fit')",
        "import importlib\nimportlib.import_module('keras.src.saving')",
    ],
)
def test_what_is_not_public_or_is_replaced_is_found(code):
    assert list(Uses(ast.parse(code), {"src.runs.outputs": {"np": "numpy"}}).found())


@pytest.mark.parametrize(
    "code",
    [
        "import os\nos._exit(1)",
        "import sys\nsys.argv = []",
        "import keras\nmodel = keras.Model()\nmodel.x = keras.__version__",
        "self._own()",
        "from src.runs import outputs\nmonkeypatch.setattr(outputs, 'LIMIT', 3)",
        "setattr(thing, 'name', 1)",
        "names = ['keras.src.saving.load_model']",
    ],
)
def test_what_is_public_or_ours_is_not(code):
    assert not list(Uses(ast.parse(code), own={"_own"}).found())


# --- src/compat ---------------------------------------------------------------------------------
def entries() -> list[tuple[str, str]]:
    """Library and name of each entry: the public functions and classes of `src/compat`."""
    found = []
    for file in sorted((ROOT / "src" / "compat").glob("[!_]*.py")):
        for node in ast.parse(file.read_text()).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
                found.append((file.stem, node.name))
    return found


def test_there_are_few_entries():
    assert len(entries()) <= MOST_ENTRIES


@pytest.mark.parametrize(("library", "name"), entries())
def test_an_entry_says_why_it_is_there_and_has_a_test_for_the_day_when_it_can_go(library, name):
    entry = getattr(importlib.import_module(f"src.compat.{library}"), name)
    for part in ENTRY:
        assert part in inspect.getdoc(entry)
    canaries = (ROOT / "tests" / "compat" / f"test_{library}.py").read_text()
    assert f"def test_{name.lower()}_is_still_needed(" in canaries
