"""Loads a logged model for ``mlflow.pyfunc``; travels with the model, beside the components."""

from typing import Any

import src.components  # noqa: F401  registers the custom objects


def _load_pyfunc(path: str) -> Any:
    """Called by :func:`mlflow.pyfunc.load_model` with the model's folder."""
    from mlflow.keras.load import _load_pyfunc as load_keras

    return load_keras(path)
