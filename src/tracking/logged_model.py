"""A run's model as an MLflow model that loads anywhere, with no pickle in it.

``mlflow.pyfunc`` writes it: the ``.keras`` file, a copy of the code that predicts, and the name of
the module that loads it, so that ``mlflow.pyfunc.load_model`` works where the project is not
installed. ``mlflow.keras.load_model`` gives the bare network with the weights of argmax; it needs
the components registered: ``import src.components`` first, or give it ``custom_objects``.
"""

import base64
import shutil
import tempfile
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import mlflow.pyfunc
import numpy as np
import pandas as pd
from mlflow.entities import LoggedModelOutput, LoggedModelStatus, Run
from mlflow.models import Model, ModelSignature
from mlflow.tracking import MlflowClient
from mlflow.types import ColSpec, DataType, ParamSchema, ParamSpec, Schema, TensorSpec
from mlflow.types.schema import AnyType

from src.data.tabular.cells import MISSING_CATEGORY
from src.runs.for_serving import LOADER, travelling_modules
from src.runs.recorded import record
from src.saved_model.decisions import TUNED
from src.saved_model.facts import CLASS, FILE, IMAGE, ServingFacts, weights_file
from src.tracking.card_note import NOTE, note_of

NAME = "model"
REQUIRED = ("numpy", "mlflow", "pandas", "pillow")
"""Packages that a saved model needs, each pinned to the version that trained it."""
OF_NETWORKS = ("tensorflow", "keras")
OF_ESTIMATORS = ("scikit-learn", "imbalanced-learn", "skops")
"""What it needs beside them."""
PROJECT = Path(__file__).resolve().parents[2]


def log_model(client: MlflowClient, run: Run, folder: Path, params: Mapping[str, str]) -> str:
    """Logs the model of a run folder to its run, which has it once all its files are in place.

    ``mlflow.pyfunc.log_model`` would read the history of every metric of the run, one by one, and
    load the model once more. The model shows the run's parameters too. Returns its id.
    """
    logged = client.create_logged_model(
        run.info.experiment_id,
        NAME,
        source_run_id=run.info.run_id,
        tags={NOTE: note_of((folder / record.CARD).read_text(encoding="utf-8"))},
        params=dict(params),
    )
    model_id = str(logged.model_id)
    model = Model(
        artifact_path=logged.artifact_location, model_uuid=model_id, run_id=run.info.run_id
    )
    with tempfile.TemporaryDirectory() as draft:
        _save_model(Path(draft) / NAME, model, folder)
        client.log_model_artifacts(model_id, f"{draft}/{NAME}")
    client.finalize_logged_model(model_id, LoggedModelStatus.READY)
    client.log_outputs(run.info.run_id, [LoggedModelOutput(model_id, step=0)])
    return model_id


def _save_model(path: Path, model: Model, run_folder: Path) -> None:
    """Writes the folder of an MLflow model, and into MODEL what describes it."""
    facts = ServingFacts.load(run_folder)
    estimator = run_folder / record.ESTIMATOR
    is_estimator = estimator.is_file()
    names = (OF_ESTIMATORS if is_estimator else OF_NETWORKS) + REQUIRED
    versions = {name: version(name) for name in names}
    if not is_estimator:
        described = {"keras_version": versions["keras"], "keras_backend": "tensorflow"}
        model.add_flavor("keras", data="data", save_exported_model=False, **described)
    with tempfile.TemporaryDirectory() as draft:
        mlflow.pyfunc.save_model(
            str(path),
            loader_module=LOADER,
            data_path=str(estimator if is_estimator else run_folder / record.MODEL),
            code_paths=_copy_code(run_folder / record.CODE, Path(draft)),
            mlflow_model=model,
            signature=signature(facts),
            input_example=_input_example(facts, run_folder),
            pip_requirements=[f"{name}=={number}" for name, number in versions.items()],
        )
    for name in (FILE, record.CARD, *map(weights_file, facts.own_weights)):
        shutil.copyfile(run_folder / name, path / name)


def _copy_code(own: Path, draft: Path) -> list[str]:
    """Copies the run's own modules and the project's files that travel; gives what to take."""
    if own.is_dir():
        shutil.copytree(own, draft, dirs_exist_ok=True)
    for name, content in _project_code().items():
        (draft / name).parent.mkdir(parents=True, exist_ok=True)
        (draft / name).write_bytes(content)
    return sorted(map(str, draft.iterdir()))


@cache
def _project_code() -> dict[str, bytes]:
    """The project's files that travel, read once: a process goes on with the code it began with."""
    files = travelling_modules().values()
    return {str(file.relative_to(PROJECT)): file.read_bytes() for file in files}


def _input_example(facts: ServingFacts, run_folder: Path) -> Any:
    """A few rows as trained on; for a table or pictures a made-up one, no person's data.

    A row has the median of each number and the first of each column's categories.
    """
    if facts.images:
        return pd.DataFrame({IMAGE: [base64.b64encode(facts.images.example()).decode()]})
    table = facts.table
    if table is None:
        return np.load(run_folder / record.EXAMPLE, allow_pickle=False)
    first = {
        name: next((text for text in known if text != MISSING_CATEGORY), None)
        for name, known in zip(table.categorical, table.categories, strict=True)
    }
    return pd.DataFrame([dict(zip(table.numeric, table.medians, strict=True)) | first])


def signature(facts: ServingFacts) -> ModelSignature:
    """Raw rows in, a class and one probability per class out, ``decision`` as a parameter.

    A table's columns are declared by name and of any type: the model itself refuses a value of the
    wrong kind, by row and column. MLflow's own types would refuse whole numbers in a column of
    decimals and a gap in a column of text, which are right here, and read as base64 what is none.
    Arrays are float32.
    """
    if facts.table or facts.images:
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
    """The parameter ``decision`` of a request, and its value where a request has none."""
    return ParamSchema([ParamSpec("decision", DataType.string, default)])
