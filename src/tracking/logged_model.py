"""The saved ``.keras`` file as an MLflow model that loads anywhere, with no pickle in it.

``mlflow.keras`` writes the model; this flavor adds a copy of ``src/components`` and a loader that
imports it, so that ``mlflow.pyfunc.load_model`` works where the project is not installed.
``mlflow.keras.load_model`` needs the components registered: ``import src.components`` first, or
give it ``custom_objects``.
"""

import shutil
import tempfile
from pathlib import Path

import numpy as np
from mlflow.entities import LoggedModelOutput, LoggedModelStatus
from mlflow.models import Model, ModelSignature
from mlflow.models.model import MLMODEL_FILE_NAME
from mlflow.tracking import MlflowClient
from mlflow.types.schema import Schema, TensorSpec
from numpy.typing import NDArray

from src.tracking import record
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


def log_model(client: MlflowClient, run_id: str, folder: Path) -> str:
    """Logs the model of a run folder to its run.

    It is what ``Model.log`` does, but for reading the history of every metric of the run one by
    one, which took longer than the rest.

    Args:
        client: of the store.
        run_id: the run.
        folder: holds the model, an input example, and predictions that tell the output's shape.

    Returns:
        The model's id. The run has it once all its files are in place.
    """
    example = np.load(folder / record.EXAMPLE, allow_pickle=False)
    with np.load(folder / record.PREDICTIONS, allow_pickle=False) as predictions:
        classes = predictions["test_logits"].shape[1]
    run = client.get_run(run_id)
    logged = client.create_logged_model(
        run.info.experiment_id, NAME, source_run_id=run_id, params=dict(run.data.params)
    )
    model_id = str(logged.model_id)
    with tempfile.TemporaryDirectory() as draft:
        place = Path(draft) / NAME
        model = Model(artifact_path=logged.artifact_location, model_uuid=model_id, run_id=run_id)
        save_model(
            place, model, folder / record.MODEL, signature(example.shape[1:], classes), example
        )
        client.log_model_artifacts(model_id, str(place))
    client.finalize_logged_model(model_id, LoggedModelStatus.READY)
    client.log_outputs(run_id, [LoggedModelOutput(model_id, step=0)])
    return model_id


def signature(input_shape: tuple[int, ...], classes: int) -> ModelSignature:
    """Float32 rows in, one float32 logit a class out."""
    rows = TensorSpec(np.dtype(np.float32), (-1, *input_shape))
    logits = TensorSpec(np.dtype(np.float32), (-1, classes))
    return ModelSignature(inputs=Schema([rows]), outputs=Schema([logits]))


def save_model(
    path: Path,
    mlflow_model: Model,
    keras_file: Path,
    signature: ModelSignature,
    input_example: NDArray[np.float32],
) -> None:
    """Writes the MLflow model folder.

    Args:
        path: the folder to make.
        mlflow_model: receives the flavors.
        keras_file: the saved Keras model.
        signature: of the model.
        input_example: some rows.
    """
    import mlflow.keras

    path.mkdir(parents=True, exist_ok=True)
    versions = {**library_versions(), "mlflow": mlflow.__version__}
    mlflow.keras.save_model(
        StoredModel(keras_file),
        str(path),
        mlflow_model=mlflow_model,
        signature=signature,
        input_example=input_example,
        pip_requirements=[f"{name}=={version}" for name, version in versions.items()],
    )
    _copy_code(path / "code" / "src")
    mlflow_model.flavors["python_function"] |= {"loader_module": LOADER, "code": "code"}
    mlflow_model.save(str(path / MLMODEL_FILE_NAME))


def _copy_code(package: Path) -> None:
    for name in TRAVELS:
        source, target = SOURCE / name, package / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(source, target)
