"""Reads the record of a run back from its files; nothing in them is executed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import yaml
from numpy.typing import NDArray

from src.errors import naming
from src.runs.import_tensorflow import import_tensorflow
from src.runs.recorded import record
from src.saved_model.facts import weights_file
from src.saved_model.network_file import load_network

SECTIONS = ("loss", "metric", "model", "data", "training")
MODEL_FILE = "data/model.keras"
"""In the folder of a logged model."""

T = TypeVar("T")


@dataclass(frozen=True)
class Recorded:
    """What a store and a run's files say.

    Attributes:
        run_id: of the run.
        name: of the run.
        tags: among them identity, code and versions.
        metrics: final ones.
        model: folder of the logged model; None where none was logged.
        config: resolved, as it was trained with.
        history: rows of the epochs.
        logits: by name, as in the record: ``val_logits``, ``test_logits`` and, where a decision
            has an epoch of its own, such as ``tuned_val_logits`` and ``tuned_test_logits``.
    """

    run_id: str
    name: str
    tags: Mapping[str, str]
    metrics: Mapping[str, float]
    model: Path | None
    config: dict[str, Any]
    history: list[dict[str, float]]
    logits: dict[str, NDArray[np.floating]]


def read_record(folder: Path, **known: Any) -> Recorded:
    """Reads config, history and predictions; the config alone where the run kept no more.

    Args:
        folder: holds a run's artifacts.
        **known: the other attributes of :class:`Recorded`.

    Raises:
        UserError: names a file that is missing or damaged.
    """
    full = record.DETAIL_TAG not in known["tags"]
    return Recorded(
        **known,
        config=_read(_config, folder / record.CONFIG),
        history=_read(record.read_history, folder / record.HISTORY) if full else [],
        logits=_read(_logits, folder / record.PREDICTIONS) if full else {},
    )


def read_weights(folder: Path, decision: str = "") -> list[NDArray[Any]]:
    """The weights of a logged model, loaded in safe mode.

    Args:
        folder: of the model.
        decision: one that has weights of its own; empty for the model's.

    Raises:
        UserError: where the model cannot be loaded so.
    """
    import_tensorflow()
    file = folder / MODEL_FILE
    model = load_network(file, called=_called(file))
    if decision:
        _read(model.load_weights, folder / weights_file(decision))
    return [weight.numpy() for weight in model.weights]


def _read(reader: Callable[[Path], T], file: Path) -> T:
    with naming(_called(file), "cannot be read"):
        return reader(file)


def _called(file: Path) -> str:
    """What an error calls a file, whose folder may be a temporary copy."""
    return f"{file.name} of the record"


def _config(file: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    for section in SECTIONS:
        if not isinstance(content[section], dict):
            raise TypeError(f"{section} is no section")
    return content


def _logits(file: Path) -> dict[str, NDArray[np.floating]]:
    with np.load(file, allow_pickle=False) as arrays:
        names = [name for name in arrays.files if name.endswith("_logits")]
        logits = {name: arrays[name] for name in {*names, "val_logits", "test_logits"}}
    if any(array.dtype not in (np.float32, np.float64) for array in logits.values()):
        raise TypeError("logits must be float32 or float64")
    return logits
