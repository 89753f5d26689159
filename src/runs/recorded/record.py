"""The record of a run on disk: the source of truth, from which MLflow's record can be made again.

``run.json`` is written last and in one step, so a folder that has one is whole.
"""

import csv
import dataclasses
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from src.errors import UserError

CONFIG = "config.yaml"
HISTORY = "history.csv"
PREDICTIONS = "predictions.npz"
CONFUSION = "confusion_matrix.csv"
CONFUSION_PLOT = "confusion_matrix.png"
CURVES_PLOT = "curves.png"
MODEL = "model.keras"
ESTIMATOR = "model.skops"
EXAMPLE = "input_example.npy"
CARD = "model_card.md"
CODE = "code"
RECORD = "run.json"
MLFLOW = "mlflow.json"
ANSWER = "answered.json"

DETAIL_TAG = "detail"
"""Of a run that keeps no more than its config and scores: ``tracking.detail=scores``."""


@dataclass(frozen=True)
class RunMetadata:
    """What is known of a run before it is trained.

    Attributes:
        identity: see :mod:`src.runs.identity`.
        name: what tables and the MLflow UI call it.
        description: Markdown, shown in the MLflow UI.
        tags: loss, model, data, seed, versions and the like.
        params: the resolved config, flat.
        dataset: name, source, fingerprint, splits and classes of the data.
    """

    identity: str
    name: str
    description: str
    tags: dict[str, str]
    params: dict[str, str]
    dataset: dict[str, Any]


@dataclass(frozen=True)
class RunRecord:
    """A finished run.

    Attributes:
        metadata: what was known before.
        metrics: final values: ``test_*``, ``best_*`` and seconds.
        best_epoch: counted from 1; 0 where there are no epochs.
        started_ms: when training began, milliseconds since 1970.
        ended_ms: when it ended.
        tracking: the ``tracking`` node of the config: where an upload goes.
    """

    metadata: RunMetadata
    metrics: dict[str, float]
    best_epoch: int
    started_ms: int
    ended_ms: int
    tracking: dict[str, Any]

    def save(self, folder: Path) -> None:
        """Writes ``run.json``; from then on the folder counts as whole."""
        write_json(folder / RECORD, dataclasses.asdict(self))

    @classmethod
    def load(cls, folder: Path) -> "RunRecord":
        """Reads the record of a whole run folder.

        Raises:
            UserError: where the folder holds no finished run.
        """
        try:
            content = json.loads((folder / RECORD).read_text(encoding="utf-8"))
            if "head" in content:  # as earlier versions called it
                content["metadata"] = content.pop("head")
            return cls(**{**content, "metadata": RunMetadata(**content["metadata"])})
        except (FileNotFoundError, NotADirectoryError) as error:
            raise UserError(
                f"{folder}: holds no finished run (no {RECORD}); right is the output folder of a "
                "job, such as multirun/DATE/TIME/0"
            ) from error
        except (ValueError, TypeError, KeyError) as error:
            raise UserError(f"{folder / RECORD}: is not a run's record: {error}") from error


def write_json(file: Path, content: Mapping[str, Any]) -> None:
    """Writes JSON in one step: readers see the old file or the whole new one."""
    draft = file.with_name(file.name + ".part")
    with draft.open("w", encoding="utf-8") as stream:
        json.dump(content, stream, indent=1, ensure_ascii=False)
        stream.flush()
        os.fsync(stream.fileno())
    draft.replace(file)


def write_history(file: Path, rows: Sequence[Mapping[str, float]]) -> None:
    """Writes one CSV row per epoch, with ``epoch`` and ``time_ms``; floats keep every bit."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, names, restval="")
        writer.writeheader()
        writer.writerows(rows)


def read_history(file: Path) -> list[dict[str, float]]:
    """Reads what :func:`write_history` wrote."""
    with file.open(encoding="utf-8", newline="") as stream:
        return [
            {name: float(value) for name, value in row.items() if value != ""}
            for row in csv.DictReader(stream)
        ]
