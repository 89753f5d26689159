"""How the pictures of a data set are read: what a saved model needs to read others alike."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from src.data.images.decode import CHANNELS, decode


@dataclass(frozen=True)
class ImagePreprocessing:
    """Turns pictures into pixels as it was done for training; plain values, to be saved as JSON.

    Attributes:
        source: the folder or file of the pictures trained on, for errors and records.
        size: height and width that every picture is brought to.
        color: `grayscale` or `rgb`.
    """

    source: str
    size: tuple[int, int]
    color: str

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """Of one picture: (height, width, channels)."""
        return (*self.size, CHANNELS[self.color])

    def transform(self, pictures: Sequence[bytes | Path]) -> NDArray[np.uint8]:
        """Pixels of pictures, as `Dataset` holds them: a network takes them divided by 255.

        Args:
            pictures: n paths, or the bytes of such files.

        Returns:
            uint8, shape (n, *input_shape).

        Raises:
            DataError: for the first picture that cannot be read.
        """
        pixels = np.empty((len(pictures), *self.input_shape), np.uint8)
        for row, picture in enumerate(pictures):
            pixels[row] = decode(picture, size=self.size, color=self.color)
        return pixels

    def example(self) -> bytes:
        """A PNG of the right size, from dark to light: made up, nobody's picture."""
        shades = np.linspace(0, 255, self.size[1], dtype=np.uint8)
        pixels = np.broadcast_to(shades[:, np.newaxis], self.input_shape)
        stream = io.BytesIO()
        Image.fromarray(pixels.squeeze(axis=2) if pixels.shape[2] == 1 else pixels).save(
            stream, "PNG"
        )
        return stream.getvalue()
