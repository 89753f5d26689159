"""The folder of an MLflow model; what the models of a process have in common is made once.

``mlflow.keras`` says what lies in such a folder. It resolves and checks the requirements anew for
each model, which takes longer than all the rest, and models alike differ in few files.
"""

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from mlflow.models import Model, ModelSignature, convert_input_example_to_serving_input
from mlflow.models.model import MLMODEL_FILE_NAME
from mlflow.types import Schema, TensorSpec
from mlflow.utils import environment

from src.data.tabular.cells import MISSING_CATEGORY
from src.runs import record
from src.runs.identity import library_versions
from src.saved_model.facts import FILE, ServingFacts

LOADER = "src.saved_model.loader"
CODE = "code"
KERAS_FILE = "data/model.keras"
SOURCE = Path(__file__).resolve().parents[1]
TRAVELS = (
    "__init__.py",
    "errors.py",
    "components",
    "saved_model",
    "data/__init__.py",
    "data/tabular/__init__.py",
    "data/tabular/cells.py",
    "data/tabular/column_checks.py",
    "data/tabular/columns.py",
    "data/dataset.py",
    "data/errors.py",
    "data/tabular/layout.py",
    "data/tabular/text_table.py",
)
"""What of the project a saved model takes along: the network's parts, and what predicts."""
DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
"""Writes what ``Model.save`` would write, in a third of the time."""
LOOK = "warn_dependency_requirement_mismatches"
KINDS = 8
"""So many kinds of models are remembered: a sweep over seeds has one, over data sets a few."""


@dataclass(frozen=True)
class Frame:
    """What models of one kind have in common.

    Attributes:
        files: their content, by their place within the folder.
        flavors: who can load the folder, and how.
        example: what the file ``MLmodel`` says of the input example, names of files among it.
        size: bytes that MLflow counts, but for those of the model and the example.
    """

    files: Mapping[str, bytes]
    flavors: Mapping[str, Any]
    example: Mapping[str, Any]
    size: int


class _Unwritten:
    """Stands for a Keras model whose file comes later."""

    def save(self, path: str) -> None:
        """Makes an empty file, which counts no bytes."""
        Path(path).touch()


def write_model_folder(
    path: Path,
    mlflow_model: Model,
    *,
    run_folder: Path,
    facts: ServingFacts,
    signature: ModelSignature,
    metadata: dict[str, Any],
) -> None:
    """Writes the folder; the file ``MLmodel``, which says what it is, comes last.

    Args:
        path: the folder, made where it is missing.
        mlflow_model: receives the flavors.
        run_folder: holds the model and what belongs to it.
        facts: of the model.
        signature: of the model.
        metadata: more facts for the file ``MLmodel``.

    Raises:
        OSError: where a file cannot be read or written.
    """
    frame = _frame(facts.input_shape, facts.table is not None)
    shown = _example_files(example(facts, run_folder), frame.example)
    own = run_folder / record.CODE
    if own.is_dir():
        shutil.copytree(own, path / CODE, dirs_exist_ok=True)
    _write(path, {**_code(), **frame.files, **shown})
    for source, place in (
        (record.MODEL, KERAS_FILE),
        (FILE, FILE),
        (record.CARD, record.CARD),
    ):
        shutil.copyfile(run_folder / source, path / place)
    mlflow_model.flavors = deepcopy(dict(frame.flavors))
    mlflow_model.signature = signature
    mlflow_model.saved_input_example_info = dict(frame.example)
    mlflow_model.metadata = metadata
    mlflow_model.model_size_bytes = (
        frame.size + sum(map(len, shown.values())) + (path / KERAS_FILE).stat().st_size
    )
    described = yaml.dump(mlflow_model.to_dict(), Dumper=DUMPER, default_flow_style=False)
    (path / MLMODEL_FILE_NAME).write_text(described, encoding="utf-8")


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


def _example_files(rows: Any, names: Mapping[str, Any]) -> dict[str, bytes]:
    """An input example as MLflow writes it: the rows, and a request with them.

    Args:
        rows: the example.
        names: of the files, as ``MLmodel`` has them.
    """
    sent = convert_input_example_to_serving_input(rows)
    (bare,) = json.loads(sent).values()
    return {
        names["artifact_path"]: json.dumps(bare).encode(),
        names["serving_input_path"]: sent.encode(),
    }


@lru_cache(maxsize=KINDS)
def _frame(input_shape: tuple[int, ...], is_table: bool) -> Frame:
    """What ``mlflow.keras`` makes for a kind of models, but for model and input example.

    Args:
        input_shape: of one row of features, as the network takes them.
        is_table: whether raw rows are a table's.
    """
    import mlflow.keras

    features = Schema([TensorSpec(np.dtype(np.float32), (-1, *input_shape))])
    versions = {**library_versions(), "mlflow": mlflow.__version__, "pandas": version("pandas")}
    zeros = np.zeros((1, *input_shape), np.float32)
    model = Model()
    with _as_installed(), tempfile.TemporaryDirectory() as place:
        mlflow.keras.save_model(
            _Unwritten(),
            place,
            mlflow_model=model,
            signature=ModelSignature(inputs=features),  # what it insists on: the network's own
            input_example=pd.DataFrame({"column": [0.0]}) if is_table else zeros,
            pip_requirements=[f"{name}=={number}" for name, number in versions.items()],
        )
        written = dict(_contents(Path(place)))
    for later in (MLMODEL_FILE_NAME, KERAS_FILE):
        del written[later]
    shown = model.saved_input_example_info
    examples = [written.pop(shown[key]) for key in ("artifact_path", "serving_input_path")]
    loaded = model.flavors["python_function"] | {"loader_module": LOADER, "code": CODE}
    return Frame(
        files=written,
        flavors=model.flavors | {"python_function": loaded},
        example=shown,
        size=model.model_size_bytes - sum(map(len, examples)),
    )


@contextmanager
def _as_installed() -> Iterator[None]:
    """Without MLflow's look whether the requirements are met, which were read from what there is.

    It goes through the files of all installed packages, half a second for the first model of a
    process. The function is no public interface: without it nothing is done.
    """
    look = getattr(environment, LOOK, None)
    if look is not None:
        setattr(environment, LOOK, lambda _: None)
    try:
        yield
    finally:
        if look is not None:
            setattr(environment, LOOK, look)


@cache
def _code() -> dict[str, bytes]:
    """What travels of the project, as this process began with it."""
    found = {}
    for name in TRAVELS:
        source = SOURCE / name
        inside = _contents(source) if source.is_dir() else [("", source.read_bytes())]
        for place, content in inside:
            if "__pycache__" not in Path(place).parts:
                found[(Path(CODE) / "src" / name / place).as_posix()] = content
    return found


def _contents(folder: Path) -> Iterator[tuple[str, bytes]]:
    """All files of a folder: their places within it, and what they hold."""
    for file in folder.rglob("*"):
        if file.is_file():
            yield file.relative_to(folder).as_posix(), file.read_bytes()


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    for parent in {place.rpartition("/")[0] for place in files}:
        (folder / parent).mkdir(parents=True, exist_ok=True)
    for place, content in files.items():
        (folder / place).write_bytes(content)
