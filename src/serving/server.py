"""MLflow's scoring server for one model, behind a guard, run by uvicorn."""

import os

import uvicorn
from fastapi import FastAPI
from mlflow.models import Model
from mlflow.pyfunc import PyFuncModel, scoring_server

from src.errors import UserError
from src.serving.closing_protocol import ClosingProtocol
from src.serving.find import SavedModel, find_model
from src.serving.guard import LIMIT, LIMIT_VARIABLE, Guard

FOLDER_VARIABLE = "SERVED_MODEL"
"""Tells further worker processes the folder of the model."""


def make_app(model: SavedModel) -> FastAPI:
    """The app that answers requests with a model.

    MLflow's own way to load a model imports whatever its folder names as a loader. Here the
    project's own loader is taken, so nothing of the folder runs but what `model` may run.

    Raises:
        UserError: where it cannot be loaded or gives no numbers, or a variable is no number.
    """
    largest = os.environ.get(LIMIT_VARIABLE, str(LIMIT))
    if not largest.isdecimal():
        raise UserError(f"{LIMIT_VARIABLE}={largest}: must be a whole number of bytes")
    predictor = model.load()
    from src.saved_model.loader import PyFunc

    described = Model.load(str(model.path))
    app: FastAPI = scoring_server.init(PyFuncModel(described, PyFunc(predictor)))
    app.add_middleware(Guard, facts=predictor.facts, largest=int(largest))
    return app


def app_of_worker() -> FastAPI:
    """The app in a further worker process, of a model that the first process has loaded before."""
    return make_app(find_model(os.environ[FOLDER_VARIABLE], "", None, trust_code=True))


def serve(model: SavedModel, host: str, port: int, workers: int = 1) -> None:
    """Answers requests until Ctrl-C.

    Raises:
        UserError: where the model cannot be served.
    """
    app = make_app(model)  # whatever is wrong with the model is said before a worker starts
    if workers == 1:
        uvicorn.run(app, host=host, port=port, http=ClosingProtocol)
        return
    os.environ[FOLDER_VARIABLE] = str(model.path.resolve())
    factory = f"{app_of_worker.__module__}:{app_of_worker.__name__}"
    uvicorn.run(factory, factory=True, host=host, port=port, workers=workers, http=ClosingProtocol)
