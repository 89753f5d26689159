"""Whether two results are the same number, within a tolerance, and how they differ."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf


def as_vector(value: Any) -> np.ndarray:
    """All numbers of a tensor, or of a structure of tensors, as one float64 vector."""
    if isinstance(value, dict | list | tuple):
        return np.concatenate([np.zeros(0), *map(as_vector, tf.nest.flatten(value))])
    array = keras.ops.convert_to_numpy(value)
    if array.dtype.kind in "SUO":  # texts: by their codes
        return np.array([hash(str(text)) % 10007 for text in array.ravel()], dtype="float64")
    return array.astype("float64").ravel()


def differs_by(first: Any, second: Any, tolerance: float = 1e-4) -> float | None:
    """The largest difference relative to the largest number, or None within the tolerance.

    Different shapes, or a NaN on one side only, are infinitely far apart.
    """
    a, b = as_vector(first), as_vector(second)
    if not all(np.array_equal(are(a), are(b)) for are in (np.isnan, np.isinf)):
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
