"""The fingerprint of a data set: equal where all that a model sees is equal."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

BYTES_AT_ONCE = 64 * 2**20
"""That are read at a time, for not all fit where they are on disk."""


def fingerprint_of(arrays: Mapping[str, Any], class_names: Sequence[str]) -> str:
    """SHA-256, 64 hex digits, over bytes, shapes and dtypes of arrays and over class names.

    Args:
        arrays: by name, C-contiguous, in the order in which they count.
        class_names: K names.
    """
    digest = hashlib.sha256()
    for name, array in arrays.items():
        digest.update(json.dumps([name, array.dtype.str, list(array.shape)]).encode())
        rows = max(BYTES_AT_ONCE // array[:1].nbytes, 1)
        for start in range(0, len(array), rows):
            digest.update(array[start : start + rows].data)
    digest.update(json.dumps(class_names).encode())
    return digest.hexdigest()
