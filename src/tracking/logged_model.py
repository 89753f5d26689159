"""A run's model as an MLflow model that loads anywhere, with no pickle in it.

``mlflow.keras`` says how a ``.keras`` file lies; this flavor adds what turns raw rows into classes
(``serving.json``), the model card, a copy of the code that predicts, and a loader that imports it,
so that ``mlflow.pyfunc.load_model`` works where the project is not installed.
``mlflow.keras.load_model`` gives the bare network; it needs the components registered:
``import src.components`` first, or give it ``custom_objects``.
"""

import tempfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np
from mlflow.entities import LoggedModelOutput, LoggedModelStatus, Run
from mlflow.models import Model, ModelSignature
from mlflow.tracking import MlflowClient
from mlflow.types import ColSpec, DataType, ParamSchema, ParamSpec, Schema, TensorSpec
from mlflow.types.schema import AnyType

from src.runs import record
from src.runs.card_note import NOTE, note_of
from src.saved_model.facts import CLASS, TUNED, ServingFacts
from src.tracking.artifacts import folder_at
from src.tracking.model_folder import write_model_folder
from src.tracking.rows import log_model_params

NAME = "model"


def log_model(client: MlflowClient, run: Run, folder: Path, params: Mapping[str, str]) -> str:
    """Logs the model of a run folder to its run.

    It is what ``Model.log`` does, but for reading the history of every metric of the run one by
    one, which took longer than the rest. Where the store keeps its files on this machine, the
    model's are written there at once.

    Args:
        client: of the store.
        run: the run.
        folder: of the run, whole.
        params: of the run; the model shows them too.

    Returns:
        The model's id. The run has it once all its files are in place.
    """
    facts = ServingFacts.load(folder)
    logged = client.create_logged_model(
        run.info.experiment_id,
        NAME,
        source_run_id=run.info.run_id,
        tags={NOTE: note_of((folder / record.CARD).read_text(encoding="utf-8"))},
    )
    model_id = str(logged.model_id)
    log_model_params(client, run.info.run_id, model_id, params)
    model = Model(
        artifact_path=logged.artifact_location, model_uuid=model_id, run_id=run.info.run_id
    )
    write = partial(
        write_model_folder,
        mlflow_model=model,
        run_folder=folder,
        facts=facts,
        signature=signature(facts),
        metadata={"columns": column_kinds(facts), "class_names": list(facts.class_names)},
    )
    place = folder_at(logged.artifact_location)
    if place is not None:
        write(place)
    else:
        with tempfile.TemporaryDirectory() as draft:
            write(Path(draft))
            client.log_model_artifacts(model_id, draft)
    client.finalize_logged_model(model_id, LoggedModelStatus.READY)
    client.log_outputs(run.info.run_id, [LoggedModelOutput(model_id, step=0)])
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
