"""Networks to train the losses on: each returns a `ClippedModel` whose outputs are logits.

Layers are named, not numbered, so a network's config does not depend on what was built before it.
The logits are in `keras.config.floatx()` under every dtype policy, as losses need them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from .arguments import check_not_negative, check_num_classes, check_share, is_whole
from .layers import CosineDense, L2Normalize
from .models import ClippedModel


def _check_common(
    input_shape: Sequence[int], num_classes: int, dropout: float, l2: float, **widths: Sequence[int]
) -> tuple[int, ...]:
    """Return the input shape as a tuple, or raise ValueError on what all networks share."""
    shape = tuple(input_shape)
    if not shape or not all(is_whole(size) for size in shape):
        raise ValueError(
            "`input_shape` must hold the sizes of one example, whole numbers > 0 without the "
            f"batch, for example (8, 8, 1). Got {input_shape!r}."
        )
    check_num_classes(num_classes)
    check_share(dropout, "dropout")
    check_not_negative(l2, "l2")
    for name, sizes in widths.items():
        if not all(is_whole(size) for size in sizes):
            raise ValueError(f"`{name}` must hold whole numbers > 0. Got {list(sizes)}.")
    return tuple(int(size) for size in shape)


def _hidden(x: Any, hidden: Sequence[int], dropout: float, l2: float) -> Any:
    """Flatten, then dense ReLU layers, each with dropout after it."""
    x = keras.layers.Flatten(name="flatten")(x)
    for index, width in enumerate(hidden):
        x = keras.layers.Dense(
            int(width),
            activation="relu",
            kernel_regularizer=keras.regularizers.L2(l2) if l2 else None,
            name=f"hidden_{index}",
        )(x)
        if dropout:
            x = keras.layers.Dropout(dropout, name=f"dropout_{index}")(x)
    return x


def _logits(x: Any, num_classes: int) -> Any:
    return keras.layers.Dense(int(num_classes), dtype=keras.config.floatx(), name="logits")(x)


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
    shape = _check_common(input_shape, num_classes, dropout, l2, hidden=hidden)
    inputs = keras.Input(shape, name="features")
    outputs = _logits(_hidden(inputs, hidden, dropout, l2), num_classes)
    return ClippedModel(inputs, outputs, clip_norm=clip_norm, name="mlp")


def cnn(
    input_shape: Sequence[int],
    num_classes: int,
    *,
    filters: Sequence[int] = (32, 64),
    dense: int = 64,
    dropout: float = 0.0,
    l2: float = 0.0,
    clip_norm: float | None = None,
) -> ClippedModel:
    """3x3 convolutions with ReLU and 2x2 pooling, a dense layer, then logits.

    Pooling pads at the edge, so an image may be as small as one pixel.

    Args:
        input_shape: Shape of one image, (height, width, channels).
        num_classes: K, a whole number >= 2.
        filters: Channels after each convolution. Defaults to (32, 64).
        dense: Width of the dense layer. Defaults to 64.
        dropout: Share of dense units dropped in training, 0 <= dropout < 1. Defaults to 0.0.
        l2: Factor of the squared kernels in the loss, >= 0. Defaults to 0.0.
        clip_norm: As in `ClippedModel`. Defaults to None.

    Returns:
        A model from float `(batch, height, width, channels)` to logits `(batch, K)`.

    Raises:
        ValueError: An argument is not as above; for vectors it names the network to take.

    Example:
        >>> cnn((8, 8, 1), num_classes=10, filters=(8, 16)).output_shape
        (None, 10)
    """
    shape = _check_common(input_shape, num_classes, dropout, l2, filters=filters, dense=[dense])
    if len(shape) != 3:
        raise ValueError(
            "The cnn needs images of shape (height, width, channels). Got `input_shape` "
            f"{shape}: use the mlp (model=mlp) for such data."
        )
    inputs = keras.Input(shape, name="features")
    x: Any = inputs
    for index, channels in enumerate(filters):
        x = keras.layers.Conv2D(
            int(channels),
            3,
            padding="same",
            activation="relu",
            kernel_regularizer=keras.regularizers.L2(l2) if l2 else None,
            name=f"conv_{index}",
        )(x)
        x = keras.layers.MaxPooling2D(2, padding="same", name=f"pool_{index}")(x)
    outputs = _logits(_hidden(x, [dense], dropout, l2), num_classes)
    return ClippedModel(inputs, outputs, clip_norm=clip_norm, name="cnn")


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
    shape = _check_common(input_shape, num_classes, dropout, l2, hidden=hidden)
    if not hidden:
        raise ValueError("`hidden` must name at least one layer for its features to be directions.")
    inputs = keras.Input(shape, name="features")
    features = L2Normalize(scale=scale, name="unit_features")(_hidden(inputs, hidden, dropout, l2))
    outputs = CosineDense(int(num_classes), dtype=keras.config.floatx(), name="logits")(features)
    return ClippedModel(inputs, outputs, clip_norm=clip_norm, name="cosine")
