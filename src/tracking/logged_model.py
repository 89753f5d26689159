"""The saved ``.keras`` file as an MLflow model that loads anywhere, with no pickle in it.

``mlflow.keras`` writes the model; this flavor adds a copy of ``src/components`` and a loader that
imports it, so that ``mlflow.pyfunc.load_model`` works where the project is not installed.
``mlflow.keras.load_model`` needs the components registered: ``import src.components`` first, or
give it ``custom_objects``.
"""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
from mlflow.models import Model, ModelSignature
from mlflow.models.model import MLMODEL_FILE_NAME
from mlflow.types.schema import Schema, TensorSpec
from numpy.typing import NDArray

from src.tracking import record
from src.tracking.address import URI_VARIABLE
from src.tracking.identity import library_versions

NAME = "model"
LOADER = "src.tracking.pyfunc_loader"
SOURCE = Path(__file__).resolve().parents[1]
TRAVELS = ("__init__.py", "components", "tracking/__init__.py", "tracking/pyfunc_loader.py")
"""What of the project a saved model takes along."""


class StoredModel:
    """Stands for a Keras model that lies on disk already: saving it copies the file."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def save(self, path: str) -> None:
        """Copies the ``.keras`` file to ``path``."""
        shutil.copyfile(self._file, path)


def log_model(uri: str, run_id: str, folder: Path) -> None:
    """Logs the model of a run folder to its run.

    Args:
        uri: the store's address.
        run_id: the run; it is left FINISHED.
        folder: holds the model, an input example, and predictions that tell the output's shape.
    """
    example = np.load(folder / record.EXAMPLE, allow_pickle=False)
    with np.load(folder / record.PREDICTIONS, allow_pickle=False) as predictions:
        classes = predictions["test_logits"].shape[1]
    with _current_store(uri), mlflow.start_run(run_id=run_id):
        Model.log(
            artifact_path=None,
            name=NAME,
            flavor=sys.modules[__name__],
            run_id=run_id,
            keras_file=folder / record.MODEL,
            signature=signature(example.shape[1:], classes),
            input_example=example,
            validate_serving_input=False,
        )


@contextmanager
def _current_store(uri: str) -> Iterator[None]:
    """Makes a store MLflow's current one, and leaves the environment as it was.

    MLflow writes the address there, where it would outrank ``tracking.uri`` and ``tracking.root``
    of every later job in this process.
    """
    given = os.environ.get(URI_VARIABLE)
    mlflow.set_tracking_uri(uri)
    try:
        yield
    finally:
        os.environ.pop(URI_VARIABLE, None)
        if given is not None:
            os.environ[URI_VARIABLE] = given


def signature(input_shape: tuple[int, ...], classes: int) -> ModelSignature:
    """Float32 rows in, one float32 logit a class out."""
    rows = TensorSpec(np.dtype(np.float32), (-1, *input_shape))
    logits = TensorSpec(np.dtype(np.float32), (-1, classes))
    return ModelSignature(inputs=Schema([rows]), outputs=Schema([logits]))


def save_model(
    path: str,
    mlflow_model: Model,
    keras_file: Path,
    signature: ModelSignature,
    input_example: NDArray[np.float32],
    **_: Any,
) -> None:
    """Writes the MLflow model folder; called by :meth:`mlflow.models.Model.log`.

    Args:
        path: the folder to make.
        mlflow_model: receives the flavors.
        keras_file: the saved Keras model.
        signature: of the model.
        input_example: some rows.
    """
    import mlflow.keras

    Path(path).mkdir(parents=True, exist_ok=True)
    versions = {**library_versions(), "mlflow": mlflow.__version__}
    mlflow.keras.save_model(
        StoredModel(keras_file),
        path,
        mlflow_model=mlflow_model,
        signature=signature,
        input_example=input_example,
        pip_requirements=[f"{name}=={version}" for name, version in versions.items()],
    )
    _copy_code(Path(path) / "code" / "src")
    mlflow_model.flavors["python_function"] |= {"loader_module": LOADER, "code": "code"}
    mlflow_model.save(str(Path(path) / MLMODEL_FILE_NAME))


def _copy_code(package: Path) -> None:
    for name in TRAVELS:
        source, target = SOURCE / name, package / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(source, target)
