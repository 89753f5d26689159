r"""The margin of the true class: the one number per example that every softmax loss here uses.

$$z = x_t - \log \sum_{j \ne t} e^{x_j}, \qquad p_t = \sigma(z), \qquad 1 - p_t = \sigma(-z)$$

with $x$ the logits and $t$ the true class. Neither $p_t$ nor $1 - p_t$ is formed by a subtraction:
$-\log p_t = \mathrm{softplus}(-z)$ and $-\log(1 - p_t) = \mathrm{softplus}(z)$, so values and
gradients stay finite for logits of any size and every gamma >= 0.

A label that is no class (a fraction, below 0, or K and above) makes its example's loss NaN, the
same on every device and under XLA, where Keras's own losses raise, return NaN or return 0.
"""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops


def widen(values: Any) -> Any:
    """Return a tensor of at least float32: half precision loses the small values of a loss."""
    tensor = ops.convert_to_tensor(values)
    is_double = keras.backend.standardize_dtype(tensor.dtype) == "float64"
    return tensor if is_double else ops.cast(tensor, "float32")


def sparse_inputs(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Bring labels and scores of a K-class loss to the shape of the scores.

    Args:
        y_true: Integer classes, shape `(batch, ...)` or `(batch, ..., 1)`, any dtype.
        y_pred: Scores, shape `(batch, ..., K)`, K >= 2.

    Returns:
        Whether a class is the true one, bool `(batch, ..., K)`: once per example, nowhere for a
        label that is no class; and the scores, at least float32.

    Raises:
        ValueError: The shapes do not fit; one-hot labels are named as such.
    """
    scores, labels = widen(y_pred), widen(y_true)  # float32 holds every class up to 2^24
    expected = tuple(scores.shape)[:-1]
    if not expected or scores.shape[-1] == 1:
        raise ValueError(
            "y_pred must have shape (batch, ..., K) with one score for each of K >= 2 classes. "
            f"Got {tuple(scores.shape)}; for one score per example use the binary loss."
        )
    if len(labels.shape) == len(scores.shape) and labels.shape[-1] == 1:
        labels = ops.squeeze(labels, -1)
    if not same_shape(labels.shape, expected):
        alike = len(labels.shape) == len(scores.shape)
        hint = " These look like one-hot labels: take their argmax over the last axis."
        raise ValueError(
            f"y_true must hold integer classes of shape {expected} (or that with a last dimension "
            f"of 1) for y_pred of shape {tuple(scores.shape)}. "
            f"Got {tuple(labels.shape)}.{hint if alike else ''}"
        )
    classes = ops.arange(ops.shape(scores)[-1], dtype=labels.dtype)
    return ops.expand_dims(labels, -1) == classes, scores


def same_shape(one: Any, other: Any) -> bool:
    """Return whether two static shapes agree; an unknown dimension, None, agrees with any."""
    pairs = zip(one, other, strict=False)
    return len(one) == len(other) and all(a == b or None in (a, b) for a, b in pairs)


def class_values(values: Any, scores: Any, name: str) -> Any:
    """Return one number for all classes, or one per class, as a tensor of the scores' dtype.

    Args:
        values: A number or K numbers.
        scores: Shape `(..., K)`.
        name: Of the argument that the values came from, for the message.

    Raises:
        ValueError: There are several numbers, but not K.
    """
    tensor = ops.convert_to_tensor(values, dtype=scores.dtype)
    if len(tensor.shape) and not same_shape(tensor.shape, scores.shape[-1:]):
        raise ValueError(
            f"`{name}` has {tensor.shape[0]} entries and y_pred has {scores.shape[-1]} classes in "
            "its last dimension: give one entry per class."
        )
    return tensor


def of_true_class(values: Any, is_true: Any) -> Any:
    """Return the true class's entry, shape `(batch, ...)`, of values with one per class."""
    return ops.sum(ops.where(is_true, values, 0.0), axis=-1)


def true_class_margin(is_true: Any, logits: Any) -> Any:
    r"""$z = x_t - \log \sum_{j \ne t} e^{x_j}$: the logit of "the true class, not another".

    Args:
        is_true: Bool, shape `(batch, ..., K)`.
        logits: Floats, shape `(batch, ..., K)`.

    Returns:
        Floats, shape `(batch, ...)`, with $\sigma(z)$ = softmax(logits) at the true class; NaN
        where there is none.
    """
    others = ops.where(is_true, -1e30, logits)
    top = ops.stop_gradient(ops.max(others, axis=-1, keepdims=True))  # so that no exp overflows
    log_sum = ops.log(ops.sum(ops.exp(others - top), axis=-1))
    return nan_without_class(is_true, of_true_class(logits - top, is_true) - log_sum)


def class_factor(values: Any, is_true: Any, scores: Any, name: str) -> Any:
    """Return each example's factor: its true class's, or the one number for all."""
    factors = class_values(values, scores, name)
    return of_true_class(factors, is_true) if len(factors.shape) else factors


def nan_without_class(is_true: Any, values: Any) -> Any:
    """Return the values `(batch, ...)`, NaN where no class is the true one."""
    return ops.where(ops.any(is_true, axis=-1), values, math.nan)


def cross_entropy(margin: Any) -> Any:
    r"""$-\log p_t$ at $p_t = \sigma(z)$."""
    return ops.softplus(-margin)


def focal(margin: Any, gamma: Any) -> Any:
    r"""$(1 - p_t)^\gamma \cdot -\log p_t$ at $p_t = \sigma(z)$.

    As $e^{-\gamma\,\mathrm{softplus}(z)}\,\mathrm{softplus}(-z)$, whose derivative has no pole at
    $p_t = 1$, where $(1 - p_t)^{\gamma - 1}$ has one for gamma < 1.
    """
    return ops.exp(-gamma * ops.softplus(margin)) * cross_entropy(margin)
