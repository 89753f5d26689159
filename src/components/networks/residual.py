r"""The residual networks of He et al. 2016 for small images.

$$x_{l+1} = \operatorname{relu}\!\big(s(x_l) + F(x_l)\big)$$

with F two 3x3 convolutions, each normalized over the batch, and s the shortcut: the identity, or,
where the image is halved, every second pixel with channels of zeros appended (their option A,
without weights).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
from keras import ops

from ..arguments import PACKAGE, is_whole
from ..models import ClippedModel
from .augmentation import image_input
from .parts import check_common, logits_layer, regularizer

STAGES = 3
LAYERS_A_BLOCK = 2
SMALLEST = 8


@keras.saving.register_keras_serializable(package=PACKAGE)
class PadChannels(keras.layers.Layer):
    """Append channels of zeros: the identity shortcut into a block of more channels.

    Args:
        channels: How many are appended, a whole number > 0.
        **kwargs: As in `keras.layers.Layer`.

    Input has shape `(batch, ..., C)`, output `(batch, ..., C + channels)`.

    Raises:
        ValueError: `channels` is not as above.

    Source: He et al. 2016, "Deep Residual Learning for Image Recognition", CVPR, section 3.3,
    option A.

    Example:
        >>> PadChannels(2)(ops.ones((1, 4, 4, 3))).shape[-1]
        5
    """

    def __init__(self, channels: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not is_whole(channels):
            raise ValueError(f"`channels` must be a whole number > 0. Got {channels!r}.")
        self.channels = int(channels)
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        """Return the input and the zeros behind it."""
        return ops.pad(inputs, [*[(0, 0)] * (len(inputs.shape) - 1), (0, self.channels)])

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the input's shape with more channels."""
        known = input_shape[-1]
        return (*input_shape[:-1], None if known is None else known + self.channels)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "channels": self.channels}


def resnet(
    input_shape: Sequence[int],
    num_classes: int,
    *,
    depth: int = 20,
    filters: int = 16,
    dropout: float = 0.0,
    l2: float = 0.0,
    augmentation: Mapping[str, Any] | None = None,
    clip_norm: float | None = None,
) -> ClippedModel:
    """ResNet-20, 32, 44, ... of He et al. for images of about 32x32, then logits.

    A 3x3 convolution, three stages of n blocks with `filters`, twice and four times as many
    channels, the second and the third on half the height and width, the mean over each channel,
    logits: 6n + 2 layers with weights. Batches are normalized as in the authors' code (epsilon
    1e-5, momentum 0.9).

    Args:
        input_shape: Shape of one image, (height, width, channels).
        num_classes: K, a whole number >= 2.
        depth: 6n + 2 with n >= 1: 20, 32, 44, 56, 110. Defaults to 20.
        filters: Channels of the first stage. Defaults to 16.
        dropout: Share of the last features dropped in training, 0 <= dropout < 1. Defaults to 0.0.
        l2: Factor of the squared kernels of the convolutions in the loss, >= 0. Defaults to 0.0.
        augmentation: As in `augment`, `flip`, `shift` and `contrast`. Defaults to None.
        clip_norm: As in `ClippedModel`. Defaults to None.

    Returns:
        A model from float `(batch, height, width, channels)` to logits `(batch, K)`.

    Raises:
        ValueError: An argument is not as above; for vectors it names the network to take.

    Source: He et al. 2016, "Deep Residual Learning for Image Recognition", CVPR, section 4.2. Cui
    et al. 2019 and Cao et al. 2019 study class-balanced loss and LDAM on ResNet-32.

    Example:
        >>> resnet((32, 32, 3), num_classes=10, depth=20).output_shape
        (None, 10)
    """
    shape = check_common(input_shape, num_classes, dropout, l2, filters=[filters])
    a_block = STAGES * LAYERS_A_BLOCK
    if not is_whole(depth, least=SMALLEST) or (depth - 2) % a_block:
        raise ValueError(f"`depth` must be 6n + 2: 8, 14, 20, 32, 44, 56 or so. Got {depth!r}.")
    inputs, x = image_input(shape, "resnet", augmentation)
    x = _normalized(x, filters, 1, l2, "stem")
    x = keras.layers.ReLU(name="stem_relu")(x)
    for stage in range(STAGES):
        for number in range((depth - 2) // a_block):
            stride = 2 if stage and not number else 1
            x = _block(x, filters * 2**stage, stride, l2, f"stage_{stage}_block_{number}")
    x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
    if dropout:
        x = keras.layers.Dropout(dropout, name="dropout")(x)
    return ClippedModel(inputs, logits_layer(x, num_classes), clip_norm=clip_norm, name="resnet")


def _block(x: Any, channels: int, stride: int, l2: float, name: str) -> Any:
    shortcut = x
    if stride > 1:
        shortcut = keras.layers.AveragePooling2D(1, stride, name=f"{name}_every_second")(x)
        more = channels - x.shape[-1]
        shortcut = PadChannels(more, name=f"{name}_more_channels")(shortcut)
    x = _normalized(x, channels, stride, l2, f"{name}_a")
    x = keras.layers.ReLU(name=f"{name}_a_relu")(x)
    x = _normalized(x, channels, 1, l2, f"{name}_b")
    x = keras.layers.Add(name=f"{name}_add")([shortcut, x])
    return keras.layers.ReLU(name=f"{name}_relu")(x)


def _normalized(x: Any, channels: int, stride: int, l2: float, name: str) -> Any:
    """A 3x3 convolution, centred on every stride-th pixel from the first, over normalized batches.

    Keras's "same" padding would centre a stride of two on the second pixel, beside the shortcut's.
    """
    x = keras.layers.ZeroPadding2D(1, name=f"{name}_pad")(x)
    x = keras.layers.Conv2D(
        int(channels),
        3,
        strides=stride,
        use_bias=False,
        kernel_initializer="he_normal",
        kernel_regularizer=regularizer(l2),
        name=f"{name}_conv",
    )(x)
    return keras.layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name=f"{name}_norm")(x)
