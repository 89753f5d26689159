"""The fingerprint of a data set: equal where all that a model sees is equal."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

ROWS_AT_ONCE = 1024
"""Rows that are read at a time, for not all fit where they are on disk."""


def fingerprint_of(arrays: Mapping[str, Any], class_names: Sequence[str]) -> str:
    """SHA-256, 64 hex digits, over bytes, shapes and dtypes of arrays and over class names.

    Args:
        arrays: by name, C-contiguous, in the order in which they count.
        class_names: K names.
    """
    digest = hashlib.sha256()
    for name, array in arrays.items():
        digest.update(json.dumps([name, array.dtype.str, list(array.shape)]).encode())
        for start in range(0, len(array), ROWS_AT_ONCE):
            digest.update(array[start : start + ROWS_AT_ONCE].data)
    digest.update(json.dumps(class_names).encode())
    return digest.hexdigest()
