"""Keras 3.15's NumPy backend imports JAX for its FFT; where JAX is missing a stand-in does."""

import sys
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from unittest.mock import MagicMock


class StandIn:
    """Finds and loads `jax` and all in it as modules of which nothing can be used."""

    def find_spec(self, name, path=None, target=None):
        return ModuleSpec(name, self, is_package=True) if name.split(".")[0] == "jax" else None

    def create_module(self, spec):
        return MagicMock(__path__=[], __spec__=spec, __name__=spec.name)

    def exec_module(self, module):
        pass


def import_keras():
    """Imports Keras, and leaves no trace of the stand-in to other libraries."""
    stand_in = None if find_spec("jax") else StandIn()
    if stand_in:
        sys.meta_path.append(stand_in)
    import keras  # noqa: F401

    if stand_in:
        sys.meta_path.remove(stand_in)
        for name in [name for name in sys.modules if name.split(".")[0] == "jax"]:
            del sys.modules[name]
