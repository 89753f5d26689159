"""The files behind a module: what it imports, found without executing anything."""

import sys

import pytest

from src.runs.source_closure import module_of, normalized_source, source_closure

FILES = {
    "mine/__init__.py": "",
    "mine/losses.py": "from . import steps\nfrom .deep.maths import power\nimport keras, json\n",
    "mine/steps.py": "import importlib\nlate = importlib.import_module('mine_named')\n",
    "mine/deep/__init__.py": "from mine_beside import one\n",
    "mine/deep/maths.py": "from ..unused_name import *\ndef power():\n    import mine_late\n",
    "mine/unused.py": "raise SystemExit('was executed')\n",
    "mine_beside.py": "import mine.losses\n",
    "mine_late.py": "raise SystemExit('was executed')\n",
    "mine_named.py": "broken syntax here\n",
    "mine_types.py": "",
    "mine_typed.py": (
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    import mine_types\nelse:\n    import mine_late\n"
    ),
}


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """A folder of the user's on the path."""
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def test_all_that_a_module_imports_from_ones_own_folders_is_found_and_nothing_is_executed(mine):
    found = source_closure(["mine.losses"])
    assert list(found) == [
        "mine",
        "mine.deep",
        "mine.deep.maths",
        "mine.losses",
        "mine.steps",
        "mine_beside",
        "mine_late",
        "mine_named",
    ]
    assert found["mine.deep"] == mine / "mine" / "deep" / "__init__.py"
    assert not [name for name in sys.modules if name.startswith("mine")]


def test_what_only_a_type_checker_imports_is_left_out(mine):
    assert list(source_closure(["mine_typed"])) == ["mine_late", "mine_typed"]


def test_packages_that_are_installed_and_the_standard_library_are_left_out():
    assert source_closure(["json.decoder", "keras.losses", "numpy", "no_such_module", "sys"]) == {}


def test_the_module_of_a_class_is_found_by_its_dotted_path(mine):
    assert module_of("mine.deep.maths.power") == "mine.deep.maths"
    assert module_of("mine.losses.Loss.from_config") == "mine.losses"
    assert module_of("keras.losses.Loss") is None
    assert module_of("mine") is None


def test_comments_docstrings_and_formatting_are_no_part_of_the_code(tmp_path):
    plain, adorned, other = (tmp_path / f"{name}.py" for name in ("plain", "adorned", "other"))
    plain.write_text("A = 1\ndef f(x):\n    return x + A\n")
    adorned.write_text(
        '"""A module."""\n\nA = (1)  # one\n"""A is one."""\n\n\n'
        'def f(\n    x,\n):\n    """Adds."""\n    # adds\n    return x+A\n'
    )
    other.write_text("A = 1\ndef f(x):\n    return x - A\n")
    assert normalized_source(plain) == normalized_source(adorned)
    assert normalized_source(plain) != normalized_source(other)
