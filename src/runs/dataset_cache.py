"""The data of the jobs of a sweep: a file is read once for all losses of a seed."""

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from src.data.dataset import Dataset
from src.engine.build import load_dataset

log = logging.getLogger(__name__)

_last: dict[str, Dataset] = {}
"""The table that was read last, by what it was read from; one alone, for memory's sake."""


def dataset_of(node: Mapping[str, Any]) -> Dataset:
    """The data set that a resolved ``data`` node names.

    A file that is still the one of the job before, read in the same way, is not read again.

    Args:
        node: as :func:`src.engine.build.load_dataset` takes it.

    Raises:
        UserError: where the data cannot be used.
    """
    file = _file(node)
    if file is None:
        return load_dataset(node)
    key = json.dumps([node, file.stat().st_mtime_ns, file.stat().st_size], default=str)
    if key not in _last:
        _last.clear()  # before the next is read, so that two never lie in memory
        dataset = load_dataset(node)
        _last[key] = dataset
        log.info(dataset.describe())
    return _last[key]


def _file(node: Mapping[str, Any]) -> Path | None:
    path = node.get("path")
    file = Path(path).expanduser() if isinstance(path, str) else None
    return file if file is not None and file.is_file() else None
