"""The data of the jobs of a sweep: a file is read once for all runs on one split."""

import json
import logging
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from src.data.dataset import Dataset
from src.engine.build import load_dataset, shared_split

log = logging.getLogger(__name__)


def cached_dataset(node: Mapping[str, Any]) -> Dataset:
    """The data set that a resolved ``data`` node names.

    A file that is still the one of the job before, read in the same way, is not read again.

    Args:
        node: as :func:`src.engine.build.load_dataset` takes it.

    Raises:
        UserError: where the data cannot be used.
    """
    node = shared_split(node)
    path = node.get("path")
    file = Path(path).expanduser() if isinstance(path, str) else None
    if file is None or not file.is_file():
        return load_dataset(node)
    status = file.stat()
    return _read(json.dumps(node), status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=1)
def _read(node: str, changed_ns: int, size: int) -> Dataset:
    """The data set of a node, as JSON, whose file was last changed then and has so many bytes."""
    dataset = load_dataset(json.loads(node))
    log.info(dataset.describe())
    return dataset
