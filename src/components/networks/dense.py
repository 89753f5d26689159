"""Networks for vectors, and for small images, which they flatten: dense layers."""

from __future__ import annotations

from collections.abc import Sequence

import keras

from ..layers import CosineDense, L2Normalize
from ..models import ClippedModel
from .parts import check_common, hidden_layers, logits_layer


def mlp(
    input_shape: Sequence[int],
    num_classes: int,
    *,
    hidden: Sequence[int] = (64, 64),
    dropout: float = 0.0,
    l2: float = 0.0,
    clip_norm: float | None = None,
) -> ClippedModel:
    """Dense ReLU layers on the flattened input, then logits.

    Args:
        input_shape: Shape of one example, without the batch; of any rank, images are flattened.
        num_classes: K, a whole number >= 2.
        hidden: Widths of the hidden layers; () gives logistic regression. Defaults to (64, 64).
        dropout: Share of hidden units dropped in training, 0 <= dropout < 1. Defaults to 0.0.
        l2: Factor of the squared hidden kernels in the loss, >= 0. Defaults to 0.0.
        clip_norm: As in `ClippedModel`. Defaults to None.

    Returns:
        A model from float `(batch, *input_shape)` to logits `(batch, K)`.

    Raises:
        ValueError: An argument is not as above.

    Example:
        >>> mlp((8, 8, 1), num_classes=10, hidden=(32,)).output_shape
        (None, 10)
    """
    shape = check_common(input_shape, num_classes, dropout, l2, hidden=hidden)
    inputs = keras.Input(shape, name="features")
    outputs = logits_layer(hidden_layers(inputs, hidden, dropout, l2), num_classes)
    return ClippedModel(inputs, outputs, clip_norm=clip_norm, name="mlp")


def cosine(
    input_shape: Sequence[int],
    num_classes: int,
    *,
    hidden: Sequence[int] = (64, 64),
    dropout: float = 0.0,
    l2: float = 0.0,
    scale: float | None = 16.0,
    clip_norm: float | None = None,
) -> ClippedModel:
    r"""The mlp with logits $s \cos(h, w_c)$: a class cannot win by the length of its weights.

    On imbalanced data the weights of frequent classes grow longer and take the doubtful
    examples; here features and class weights have norm 1 and only directions count.

    Args:
        input_shape: Shape of one example, without the batch.
        num_classes: K, a whole number >= 2.
        hidden: Widths of the hidden layers, at least one. Defaults to (64, 64).
        dropout: Share of hidden units dropped in training, 0 <= dropout < 1. Defaults to 0.0.
        l2: Factor of the squared hidden kernels in the loss, >= 0. Defaults to 0.0.
        scale: Initial value of the learned s, or None for plain cosines, as `LDAMLoss`, which
            scales by itself, expects them. Defaults to 16.0.
        clip_norm: As in `ClippedModel`. Defaults to None.

    Returns:
        A model from float `(batch, *input_shape)` to logits `(batch, K)`.

    Raises:
        ValueError: An argument is not as above.

    Source: Wang et al. 2017, "NormFace: L2 Hypersphere Embedding for Face Verification", ACM MM.

    Example:
        >>> cosine((20,), num_classes=3, hidden=(16,)).output_shape
        (None, 3)
    """
    shape = check_common(input_shape, num_classes, dropout, l2, hidden=hidden)
    if not hidden:
        raise ValueError("`hidden` must name at least one layer for its features to be directions.")
    inputs = keras.Input(shape, name="features")
    features = L2Normalize(scale=scale, name="unit_features")(
        hidden_layers(inputs, hidden, dropout, l2)
    )
    outputs = CosineDense(int(num_classes), dtype=keras.config.floatx(), name="logits")(features)
    return ClippedModel(inputs, outputs, clip_norm=clip_norm, name="cosine")
