"""Whether two results are the same number, within a tolerance, and how they differ."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np


def as_vector(value: Any) -> np.ndarray:
    """All numbers of a tensor, or of a structure of tensors, as one float64 vector."""
    if isinstance(value, dict):
        value = [value[key] for key in sorted(value)]
    if isinstance(value, list | tuple):
        return np.concatenate([as_vector(part) for part in value]) if value else np.zeros(0)
    array = keras.ops.convert_to_numpy(value)
    if array.dtype.kind in "SUO":  # texts: by their codes
        return np.array([hash(str(text)) % 10007 for text in array.ravel()], dtype="float64")
    return array.astype("float64").ravel()


def differs_by(first: Any, second: Any, tolerance: float = 1e-4) -> float | None:
    """The largest difference relative to the largest number, or None within the tolerance.

    Different shapes, or a NaN on one side only, are infinitely far apart.
    """
    a, b = as_vector(first), as_vector(second)
    if a.shape != b.shape:
        return float("inf")
    if not np.array_equal(np.isnan(a), np.isnan(b)) or not np.array_equal(np.isinf(a), np.isinf(b)):
        return float("inf")
    finite = np.isfinite(a)
    if not finite.any():
        return None
    scale = max(np.abs(a[finite]).max(), np.abs(b[finite]).max(), 1e-6)
    worst = float(np.abs(a - b)[finite].max() / scale)
    return worst if worst > tolerance else None


def shown(value: Any) -> str:
    """Numbers for a message, few and short."""
    flat = as_vector(value)
    listed = ", ".join(f"{number:.5g}" for number in flat[:4])
    return f"[{listed}, ...]" if len(flat) > 4 else listed if len(flat) == 1 else f"[{listed}]"
