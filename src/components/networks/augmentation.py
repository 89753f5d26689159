"""Images changed at random in training, by Keras's own layers inside the model.

They draw from seed generators whose states are variables of the model: a training is repeated, and
goes on after an interruption, with the same changes. Validation and prediction see images as they
are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras

from ..arguments import check_share

FLIPS = ("none", "horizontal", "vertical", "horizontal_and_vertical")
IMAGE_RANK = 3


def augment(images: Any, *, flip: str = "none", shift: float = 0.0, contrast: float = 0.0) -> Any:
    """Flip, shift and change the contrast of each image, at random, in training alone.

    Args:
        images: Keras tensor `(batch, height, width, channels)`, pixels 0 to 1.
        flip: "horizontal", "vertical", "horizontal_and_vertical", each with probability 1/2, or
            "none". Defaults to "none".
        shift: Largest shift down and across, as a share of height and width, 0 <= shift < 1, into
            black. Defaults to 0.0.
        contrast: Largest change of the contrast: each channel's distance from its mean is
            multiplied by 1 - contrast to 1 + contrast, 0 <= contrast < 1. Defaults to 0.0.

    Returns:
        A Keras tensor of the same shape; `images` itself where nothing is asked for.

    Raises:
        ValueError: An argument is not as above.

    Source: He et al. 2016, section 4.2, for flips and for shifts into zeros, there by 4 of 32
    pixels (0.125).

    Example:
        >>> inputs = keras.Input((8, 8, 1))
        >>> keras.Model(inputs, augment(inputs, flip="horizontal", shift=0.125)).output_shape
        (None, 8, 8, 1)
    """
    if flip not in FLIPS:
        raise ValueError(f"`flip` must be one of {', '.join(FLIPS)}. Got {flip!r}.")
    full = "float32"  # pixels of half precision would lose steps of grey
    if flip != "none":
        images = keras.layers.RandomFlip(flip, dtype=full, name="flip")(images)
    if check_share(shift, "shift"):
        images = keras.layers.RandomTranslation(
            shift, shift, fill_mode="constant", dtype=full, name="shift"
        )(images)
    if check_share(contrast, "contrast"):
        both = (contrast, contrast)  # of one number Keras makes an increase alone
        images = keras.layers.RandomContrast(
            both, value_range=(0.0, 1.0), dtype=full, name="contrast"
        )(images)
    return images


def image_input(
    shape: tuple[int, ...], network: str, augmentation: Mapping[str, Any] | None
) -> tuple[Any, Any]:
    """Return the input of a network of images, and the augmented images.

    Raises:
        ValueError: The shape is of no image, or `augmentation` is not as in `augment`.
    """
    if len(shape) != IMAGE_RANK:
        raise ValueError(
            f"The {network} needs images of shape (height, width, channels). Got `input_shape` "
            f"{shape}: use the mlp (model=mlp) for such data."
        )
    inputs = keras.Input(shape, name="features")
    return inputs, augment(inputs, **(augmentation or {}))
