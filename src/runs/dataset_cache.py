"""The data of the jobs of a sweep: a file is read once for all runs on one split."""

import json
import logging
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from src.data.dataset import Dataset
from src.data.latest import NO_FILE, state_of
from src.engine.build import load_dataset, shared_split

FILES = ("path", "test_path", "val_path")
"""Keys that name a file."""

log = logging.getLogger(__name__)


def cached_dataset(node: Mapping[str, Any]) -> Dataset:
    """The data set that a resolved ``data`` node names.

    A file that is still the one of the job before, read in the same way, is not read again.

    Raises:
        UserError: where the data cannot be used.
    """
    node = shared_split(node)
    paths = [node[key] for key in FILES if isinstance(node.get(key), str)]
    states = [state_of(Path(path).expanduser()) for path in paths]
    if not paths or NO_FILE in states:
        return load_dataset(node)
    return _read(json.dumps(node), *states)


@lru_cache(maxsize=1)
def _read(node: str, *states: tuple[int, int]) -> Dataset:
    """The data set of a node, as JSON, whose files are in these states."""
    dataset = load_dataset(json.loads(node))
    log.info(dataset.describe())
    return dataset
