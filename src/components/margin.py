r"""The margin of the true class: the one number per example that every softmax loss here uses.

$$z = x_t - \log \sum_{j \ne t} e^{x_j}, \qquad p_t = \sigma(z), \qquad 1 - p_t = \sigma(-z)$$

with $x$ the logits and $t$ the true class. For two classes scored by one logit $x$ it is
$z = x$ when $t = 1$ and $z = -x$ when $t = 0$. Neither $p_t$ nor $1 - p_t$ is ever formed by a
subtraction, so values and gradients stay finite for every finite logit and every gamma >= 0.

A label that is no class (below 0, or K and above) makes that example's loss NaN, the same on
every device and under XLA, where Keras's own losses raise, return NaN or return 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import tensorflow as tf


def widen(y_pred: Any) -> tf.Tensor:
    """Return `y_pred` as a tensor of at least float32: halves lose a loss's small values."""
    scores = tf.convert_to_tensor(y_pred)
    return scores if scores.dtype in (tf.float32, tf.float64) else tf.cast(scores, tf.float32)


def sparse_inputs(y_true: Any, y_pred: Any) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Bring labels and scores of a K-class loss to their canonical form.

    Args:
        y_true: Integer classes, shape `(batch, ...)` or `(batch, ..., 1)`, any dtype.
        y_pred: Scores, shape `(batch, ..., K)`, K >= 2.

    Returns:
        Labels in 0..K-1 (int32, those that are no class replaced by the nearest one), a boolean
        of the same shape that is False where they were replaced, and the scores, at least float32.

    Raises:
        ValueError: The shapes do not fit; one-hot labels are named as such.
    """
    scores, labels = widen(y_pred), tf.convert_to_tensor(y_true)
    if scores.shape.rank is None or scores.shape.rank < 2 or scores.shape[-1] == 1:
        raise ValueError(
            "y_pred must have shape (batch, ..., K) with one score for each of K >= 2 classes. "
            f"Got {tuple(scores.shape)}; for one score an example use the binary loss."
        )
    if labels.shape.rank == scores.shape.rank and labels.shape[-1] == 1:
        labels = tf.squeeze(labels, -1)
    if labels.shape.rank != scores.shape.rank - 1:
        hint = (
            " These look like one-hot labels: take their argmax over the last axis."
            if labels.shape.rank == scores.shape.rank
            else ""
        )
        raise ValueError(
            f"y_true must hold integer classes of shape {tuple(scores.shape[:-1])} (or that with "
            f"a last dimension of 1) for y_pred of shape {tuple(scores.shape)}. "
            f"Got {tuple(labels.shape)}.{hint}"
        )
    if not labels.shape.is_compatible_with(scores.shape[:-1]):
        raise ValueError(
            f"y_true has shape {tuple(labels.shape)}, y_pred {tuple(scores.shape)}: all "
            "dimensions but the last of y_pred must agree."
        )
    labels = tf.cast(labels, tf.int32)
    inside = tf.clip_by_value(labels, 0, tf.shape(scores)[-1] - 1)
    return inside, inside == labels, scores


def true_class_margin(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    r"""$z = x_t - \log \sum_{j \ne t} e^{x_j}$: the logit of "the true class, not another".

    Args:
        labels: int32 classes in 0..K-1, shape `(batch, ...)`.
        logits: Floats, shape `(batch, ..., K)`.

    Returns:
        Floats, shape `(batch, ...)`, with $\sigma(z)$ = softmax(logits) at the label.
    """
    return _margin(labels, logits)


@tf.custom_gradient
def _margin(labels: tf.Tensor, logits: tf.Tensor) -> tuple[tf.Tensor, Callable[..., Any]]:
    r"""The margin with $\partial z / \partial x_j$ = 1 for the true class, else $-q_j$.

    $q$ is the softmax over the other classes, at hand from the logarithm's argument; by itself
    TensorFlow would go back through every operation. Second derivatives are right too.
    """
    # Sums and products with ones and zeros: exact, and faster than `tf.where` with a broadcast.
    is_true = tf.one_hot(labels, tf.shape(logits)[-1], dtype=logits.dtype)
    others = logits + logits.dtype.min * is_true
    top = tf.stop_gradient(tf.reduce_max(others, axis=-1, keepdims=True))
    powers = tf.exp(others - top)
    total = tf.reduce_sum(powers, axis=-1, keepdims=True)
    true = tf.gather(logits, labels, axis=-1, batch_dims=labels.shape.rank)
    margin = true - tf.squeeze(top + tf.math.log(total), axis=-1)

    def gradient(upstream: tf.Tensor) -> tuple[None, tf.Tensor]:
        upstream = tf.expand_dims(upstream, -1)
        return None, is_true * upstream + powers * (-upstream / total)

    return margin, gradient


def focal_term(margin: tf.Tensor, gamma: float | tf.Variable) -> tf.Tensor:
    r"""$(1 - p_t)^\gamma \cdot -\log p_t$ at $p_t = \sigma(z)$, for margins z of any size.

    As $e^{-\gamma\,\mathrm{softplus}(z)} \cdot \mathrm{softplus}(-z)$, whose derivative has no
    pole at $p_t = 1$, where $(1 - p_t)^{\gamma - 1}$ has one for gamma < 1.

    A variable may stand for gamma while a graph is traced: it gives the bits of its value.
    """
    if not tf.is_tensor(gamma) and gamma == 0:
        return tf.math.softplus(-margin)
    return _focal_term(margin, tf.convert_to_tensor(gamma, margin.dtype))


@tf.custom_gradient
def _focal_term(margin: tf.Tensor, gamma: tf.Tensor) -> tuple[tf.Tensor, Callable[..., Any]]:
    """The focal term, and a derivative by the margin that has the same bits in every graph.

    TensorFlow regroups a product that has a constant in it, in one graph in this way and in
    another in that, and so rounds otherwise. `multiply_no_nan` it leaves as it is; and a variable
    that holds 0 gives what the entropy alone gives, where the margin is infinite too.
    """
    entropy = tf.math.softplus(-margin)
    power = tf.exp(tf.math.multiply_no_nan(tf.math.softplus(margin), -gamma))

    def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, None]:
        of_entropy = upstream * power * tf.sigmoid(-margin)
        of_power = upstream * entropy * power * tf.sigmoid(margin)
        return -(of_entropy + tf.math.multiply_no_nan(of_power, gamma)), None

    return power * entropy, gradient


def nan_unless(known: tf.Tensor, loss: tf.Tensor) -> tf.Tensor:
    """Return the loss, NaN where the label is no class."""
    return tf.where(known, loss, tf.constant(math.nan, loss.dtype))
