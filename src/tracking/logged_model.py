"""A run's model as an MLflow model that loads anywhere, with no pickle in it.

``mlflow.keras`` writes the ``.keras`` file; this flavor adds what turns raw rows into classes
(``serving.json``), the model card, a copy of the code that predicts, and a loader that imports it,
so that ``mlflow.pyfunc.load_model`` works where the project is not installed.
``mlflow.keras.load_model`` gives the bare network; it needs the components registered:
``import src.components`` first, or give it ``custom_objects``.
"""

import shutil
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from mlflow.entities import LoggedModelOutput, LoggedModelStatus
from mlflow.models import Model, ModelSignature
from mlflow.models.model import MLMODEL_FILE_NAME
from mlflow.tracking import MlflowClient
from mlflow.types import ColSpec, DataType, ParamSchema, ParamSpec, Schema, TensorSpec
from mlflow.types.schema import AnyType

from src.data.cells import MISSING_CATEGORY
from src.serving.facts import CLASS, FILE, TUNED, ServingFacts
from src.tracking import record
from src.tracking.card_note import NOTE, note_of
from src.tracking.identity import library_versions

NAME = "model"
LOADER = "src.serving.loader"
CODE = "code"
SOURCE = Path(__file__).resolve().parents[1]
TRAVELS = (
    "__init__.py",
    "errors.py",
    "components",
    "serving",
    "data/__init__.py",
    "data/cells.py",
    "data/column_checks.py",
    "data/columns.py",
    "data/dataset.py",
    "data/errors.py",
    "data/layout.py",
    "data/text_table.py",
)
"""What of the project a saved model takes along: the network's parts, and what predicts."""


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
        folder: of the run, whole.

    Returns:
        The model's id. The run has it once all its files are in place.
    """
    facts = ServingFacts.load(folder)
    run = client.get_run(run_id)
    logged = client.create_logged_model(
        run.info.experiment_id,
        NAME,
        source_run_id=run_id,
        params=dict(run.data.params),
        tags={NOTE: note_of((folder / record.CARD).read_text(encoding="utf-8"))},
    )
    model_id = str(logged.model_id)
    with tempfile.TemporaryDirectory() as draft:
        place = Path(draft) / NAME
        save_model(
            place,
            Model(artifact_path=logged.artifact_location, model_uuid=model_id, run_id=run_id),
            run_folder=folder,
            signature=signature(facts),
            input_example=example(facts, folder),
            metadata={"columns": column_kinds(facts), "class_names": list(facts.class_names)},
        )
        client.log_model_artifacts(model_id, str(place))
    client.finalize_logged_model(model_id, LoggedModelStatus.READY)
    client.log_outputs(run_id, [LoggedModelOutput(model_id, step=0)])
    return model_id


def signature(facts: ServingFacts) -> ModelSignature:
    """Raw rows in, a class and one probability a class out, ``decision`` as a parameter.

    A table's columns are declared by name and of any type: the model itself refuses a value of the
    wrong kind, by row and column. MLflow's own types would refuse whole numbers in a column of
    decimals and a gap in a column of text, which are right here. Arrays are float32.
    """
    if facts.table:
        rows = Schema([ColSpec(AnyType(), name) for name in facts.columns or ()])
    else:
        rows = Schema([TensorSpec(np.dtype(np.float32), (-1, *facts.input_shape))])
    probabilities = [ColSpec(DataType.double, name) for name in facts.output_columns[1:]]
    return ModelSignature(
        inputs=rows,
        outputs=Schema([ColSpec(DataType.string, CLASS), *probabilities]),
        params=decision_param(TUNED),
    )


def decision_param(default: str) -> ParamSchema:
    """The parameter ``decision`` of a request, and what counts without it."""
    return ParamSchema([ParamSpec("decision", DataType.string, default)])


def column_kinds(facts: ServingFacts) -> dict[str, str]:
    """What each column of a row holds: ``number``, or how many known categories."""
    if facts.table is None:
        return dict.fromkeys(facts.feature_names or (), "number, on the scale of training")
    categories = zip(facts.table.categorical, facts.table.categories, strict=True)
    return dict.fromkeys(facts.table.numeric, "number") | {
        name: f"text, {len(known)} categories" for name, known in categories
    }


def example(facts: ServingFacts, folder: Path) -> Any:
    """An input example.

    Args:
        facts: of the model.
        folder: of the run.

    Returns:
        For a table one made-up row, no person's data: the median of each number and the first
        of each column's categories. Else a few rows as trained on.
    """
    table = facts.table
    if table is None:
        return np.load(folder / record.EXAMPLE, allow_pickle=False)
    first = {
        name: next((text for text in known if text != MISSING_CATEGORY), None)
        for name, known in zip(table.categorical, table.categories, strict=True)
    }
    return pd.DataFrame([dict(zip(table.numeric, table.medians.tolist(), strict=True)) | first])


def save_model(
    path: Path,
    mlflow_model: Model,
    *,
    run_folder: Path,
    signature: ModelSignature,
    input_example: Any,
    metadata: dict[str, Any] | None = None,
) -> None:
    """Writes the MLflow model folder.

    Args:
        path: the folder to make.
        mlflow_model: receives the flavors.
        run_folder: holds the model and what belongs to it.
        signature: of the model.
        input_example: some rows.
        metadata: more facts for the file ``MLmodel``.
    """
    import mlflow.keras

    facts = ServingFacts.load(run_folder)
    path.mkdir(parents=True, exist_ok=True)
    features = Schema([TensorSpec(np.dtype(np.float32), (-1, *facts.input_shape))])
    versions = {**library_versions(), "mlflow": mlflow.__version__, "pandas": version("pandas")}
    mlflow.keras.save_model(
        StoredModel(run_folder / record.MODEL),
        str(path),
        mlflow_model=mlflow_model,
        signature=ModelSignature(inputs=features),  # what it insists on: the network's own
        input_example=input_example,
        pip_requirements=[f"{name}=={number}" for name, number in versions.items()],
        metadata=metadata,
    )
    for name in (FILE, record.CARD):
        shutil.copyfile(run_folder / name, path / name)
    _copy_code(path / CODE, run_folder / record.CODE)
    mlflow_model.signature = signature
    mlflow_model.flavors["python_function"] |= {"loader_module": LOADER, "code": CODE}
    mlflow_model.save(str(path / MLMODEL_FILE_NAME))


def _copy_code(code: Path, own: Path) -> None:
    """Copies what travels of the project, and the run's modules of one's own."""
    if own.is_dir():
        shutil.copytree(own, code)
    for name in TRAVELS:
        source, target = SOURCE / name, code / "src" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(source, target, ignore=ignored, dirs_exist_ok=True)
        else:
            shutil.copyfile(source, target)
