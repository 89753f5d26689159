"""The fingerprint of a data set: equal where all that a model sees is equal."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

BYTES_AT_ONCE = 64 * 2**20
"""Bytes hashed at a time: arrays on disk may not fit into memory."""


def fingerprint_of(arrays: Mapping[str, Any], class_names: Sequence[str]) -> str:
    """SHA-256, 64 hex digits, over C-contiguous arrays by name, in order, and over class names."""
    digest = hashlib.sha256()
    for name, array in arrays.items():
        digest.update(json.dumps([name, array.dtype.str, list(array.shape)]).encode())
        rows = max(BYTES_AT_ONCE // array[:1].nbytes, 1)
        for start in range(0, len(array), rows):
            digest.update(array[start : start + rows].data)
    digest.update(json.dumps(class_names).encode())
    return digest.hexdigest()
