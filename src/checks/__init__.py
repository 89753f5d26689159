"""A conformance kit for Keras components of one's own: what always goes wrong, looked for by name.

    from src.checks import check_loss, parametrize_with_checks

    report = check_loss(FocalLoss, gamma=2.0)
    report.passed, report.failed

    @parametrize_with_checks(FocalLoss, MacroF1, num_classes=3)
    def test_my_components(check):
        check()

On the command line: `python -m src.check MODULE:NAME`. Importing this package loads no Keras;
naming one of its functions does.
"""

import importlib
from typing import Any

_HOMES = {"Report": "results", "Result": "results", "checks_of": "registry"}

__all__ = [
    "Report",
    "Result",
    "check_component",
    "check_layer",
    "check_loss",
    "check_metric",
    "check_model",
    "checks_of",
    "parametrize_with_checks",
]


def __getattr__(name: str) -> Any:
    """Imports what is asked for when it is asked for."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"src.checks.{_HOMES.get(name, 'run')}"), name)
