"""How fast the project is, against what its user would do otherwise: one program per topic.

``python -m benchmarks`` runs them all and writes the tables of ``docs/performance.md``;
``python -m benchmarks.one NAME`` runs one and prints its table. A program has a function
``measure``, ``ROUNDS`` (its turns), and ``MINUTES``, about how long it takes.
"""

import importlib
import pkgutil


def programs() -> dict[str, float]:
    """The programs, and about how many minutes each takes.

    They are the modules that say how many ``MINUTES`` they take; ``serving`` says none, since it
    needs a champion, and is run by itself.
    """
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    modules = {name: importlib.import_module(f"{__name__}.{name}") for name in names}
    return {name: module.MINUTES for name, module in modules.items() if hasattr(module, "MINUTES")}
