"""A plain convolutional network for small images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras

from ..models import ClippedModel
from .augmentation import image_input
from .parts import check_common, hidden_layers, logits_layer, regularizer


def cnn(
    input_shape: Sequence[int],
    num_classes: int,
    *,
    filters: Sequence[int] = (32, 64),
    dense: int = 64,
    dropout: float = 0.0,
    l2: float = 0.0,
    augmentation: Mapping[str, Any] | None = None,
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
        augmentation: As in `augment`, `flip`, `shift` and `contrast`. Defaults to None.
        clip_norm: As in `ClippedModel`. Defaults to None.

    Returns:
        A model from float `(batch, height, width, channels)` to logits `(batch, K)`.

    Raises:
        ValueError: An argument is not as above; for vectors it names the network to take.

    Example:
        >>> cnn((8, 8, 1), num_classes=10, filters=(8, 16)).output_shape
        (None, 10)
    """
    shape = check_common(input_shape, num_classes, dropout, l2, filters=filters, dense=[dense])
    inputs, x = image_input(shape, "cnn", augmentation)
    for index, channels in enumerate(filters):
        x = keras.layers.Conv2D(
            int(channels),
            3,
            padding="same",
            activation="relu",
            kernel_regularizer=regularizer(l2),
            name=f"conv_{index}",
        )(x)
        x = keras.layers.MaxPooling2D(2, padding="same", name=f"pool_{index}")(x)
    outputs = logits_layer(hidden_layers(x, [dense], dropout, l2), num_classes)
    return ClippedModel(inputs, outputs, clip_norm=clip_norm, name="cnn")
