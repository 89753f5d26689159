"""Loads a logged model for ``mlflow.pyfunc``; travels with the model, beside the components."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.exceptions import MlflowException

from src.errors import UserError
from src.saved_model.decisions import DECISIONS, TUNED
from src.saved_model.predictor import Predictor


class PyFunc:
    """The model that :func:`mlflow.pyfunc.load_model` wraps."""

    def __init__(self, predictor: Predictor) -> None:
        self.predictor = predictor

    def predict(self, model_input: Any, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """Classes and probabilities of raw rows; see :meth:`Predictor.predict`.

        Args:
            model_input: a table, or an array where the model was trained on arrays.
            params: ``decision``, ``tuned``, ``argmax`` or ``prior``.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE, which a server answers with status 400.
        """
        decision = (params or {}).get("decision", TUNED)
        try:
            if decision not in DECISIONS:
                raise UserError(f"decision={decision!r}: must be {', '.join(DECISIONS)}")
            return self.predictor.predict(model_input, decision)
        except UserError as error:
            raise MlflowException.invalid_parameter_value(str(error)) from error

    def get_raw_model(self) -> Any:
        """The Keras model, or the estimator."""
        return self.predictor.network


def _load_pyfunc(path: str) -> PyFunc:
    """Called by :func:`mlflow.pyfunc.load_model` with the path of ``data/model.keras``."""
    return PyFunc(Predictor.load(Path(path).parents[1]))
