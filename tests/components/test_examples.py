"""The examples in the docstrings run and give what they say."""

import doctest
import importlib
import pkgutil

import pytest

from src import components

MODULES = [module.name for module in pkgutil.walk_packages(components.__path__, "src.components.")]


@pytest.mark.parametrize("name", MODULES)
def test_docstring_examples_hold(name):
    module = importlib.import_module(name)
    assert doctest.testmod(module).failed == 0


def test_every_public_component_shows_an_example():
    abstract = {"ConfusionMetric", "custom_objects"}
    for name in set(components.__all__) - abstract:
        assert ">>> " in getattr(components, name).__doc__, name
