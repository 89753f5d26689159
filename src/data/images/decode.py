"""Turns a picture, a file or its bytes, into numbers: in training, in prediction and in serving.

The pixels are those of `keras.utils.load_img(..., interpolation="bilinear")`, with two exceptions,
in which Keras shows what people do not see:

- Transparent pixels are laid over white; Keras shows the colour that stands behind them.
- Of 16 bits per pixel the upper eight are kept; Keras gives 0 to 65535, or cuts at 255.

As in Keras, CMYK becomes RGB without a colour profile, an animation is its first frame, a picture
is stretched to its size, and a camera's note on how it was held (EXIF) is not followed.
"""

from __future__ import annotations

import io
import threading
import warnings
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, UnidentifiedImageError

from src.data.errors import DataError, TooLargeError

FORMATS = ("PNG", "JPEG", "BMP", "GIF")
"""As Pillow calls them; the bytes of a file say which it is, not its suffix."""
SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif")
GRAYSCALE, RGB = COLORS = ("grayscale", "rgb")
CHANNELS = {GRAYSCALE: 1, RGB: 3}
LARGEST_FILE = 64 * 2**20
MOST_PIXELS = 50_000_000
MOST_SCANS = 500
"""Passes over a JPEG; a progressive one has about ten, and 75 bytes make one more of all pixels."""
JPEG, SCAN = b"\xff\xd8", b"\xff\xda"
"""How a JPEG begins, and how a pass in it does."""
NAMELESS = "the picture"
"""What bytes are called in errors."""
LARGEST_BYTE = 255
UPRIGHT = 1
SIXTEEN_BITS = ("I", "I;16", "I;16B", "I;16L")
"""Modes of Pillow whose pixels are 0 to 65535."""

one_header = threading.Lock()
"""Filters of warnings are those of all threads."""


def decode(source: bytes | Path, *, size: tuple[int, int] | None, color: str) -> NDArray[np.uint8]:
    """Reads a picture.

    Args:
        source: a file's path, or its bytes: PNG, JPEG, BMP or GIF.
        size: height and width to stretch or shrink it to, by Pillow's bilinear filter; None for
            its own.
        color: `grayscale` (one channel, by ITU-R 601-2) or `rgb` (three).

    Returns:
        uint8, shape (height, width, channels), 0 to 255, writable.

    Raises:
        DataError: for a file that is no picture, is damaged or cut short, or is larger than
            `LARGEST_FILE` bytes or, by its header, `MOST_PIXELS` pixels; names the file.
    """
    name = str(source) if isinstance(source, Path) else NAMELESS
    image = open_picture(read_file(source), name)
    return to_array(image, name, size=size, color=color)


def read_file(source: bytes | Path) -> bytes:
    """The bytes of a picture.

    Raises:
        DataError: where the path is no file, or the file is empty or too large.
    """
    if isinstance(source, bytes):
        found, size = source, len(source)
    else:
        try:
            if not source.is_file():  # a pipe would be waited for
                raise DataError(f"{source}: is no file.")
            size = source.stat().st_size
            found = source.read_bytes() if size <= LARGEST_FILE else b""
        except OSError as error:
            raise DataError(f"{source}: cannot be read: {error.strerror}.") from error
    name = source if isinstance(source, Path) else NAMELESS
    if size > LARGEST_FILE:
        raise TooLargeError(
            f"{name}: has {size:,} bytes; {LARGEST_FILE:,} are the most that are read."
        )
    if not found:
        raise DataError(f"{name}: is empty.")
    if found.startswith(JPEG) and found.count(SCAN) > MOST_SCANS:
        raise TooLargeError(
            f"{name}: is a JPEG of more than {MOST_SCANS} scans, each of which takes the time of "
            "all its pixels. Save it anew."
        )
    return found


def open_picture(source: bytes | BinaryIO, name: str) -> Image.Image:
    """The picture in a file's bytes, or in an open file, of which the header alone is read.

    Raises:
        DataError: by `name`, for another kind of file, a damaged header, or too many pixels.
    """
    stream = io.BytesIO(source) if isinstance(source, bytes) else source
    try:
        with one_header, warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # MOST_PIXELS is less
            image = Image.open(stream, formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise _too_many_pixels(name, "far too many pixels") from error
    except UnidentifiedImageError as error:
        raise DataError(f"{name}: is no PNG, JPEG, BMP or GIF picture.") from error
    except Exception as error:  # a damaged file makes Pillow raise anything
        raise _damaged(name, error) from error
    width, height = image.size
    if width * height > MOST_PIXELS:
        raise _too_many_pixels(name, f"{width:,} x {height:,} pixels")
    return image


def to_array(
    image: Image.Image, name: str, *, size: tuple[int, int] | None, color: str
) -> NDArray[np.uint8]:
    """The pixels of a picture whose header was read; see `decode`."""
    if color not in COLORS:
        raise DataError(f"color={color!r} must be one of {', '.join(COLORS)}.")
    try:
        image = _eight_bits(image, name) if image.mode in SIXTEEN_BITS else image
        if image.has_transparency_data:
            solid = image.convert("RGBA")
            image = Image.alpha_composite(Image.new("RGBA", solid.size, "white"), solid)
            image = image.convert("RGB")
        image = image.convert("L" if color == GRAYSCALE else "RGB")
    except DataError:
        raise
    except Exception as error:
        raise _damaged(name, error) from error
    if size is not None and size != (image.height, image.width):
        image = image.resize((size[1], size[0]), Image.Resampling.BILINEAR)
    return np.array(image, np.uint8).reshape(image.height, image.width, CHANNELS[color])


def is_gray(image: Image.Image) -> bool:
    """Whether a picture has no colours, as far as its header tells."""
    palette = image.getpalette() if image.mode == "P" else None
    if palette:
        return palette[0::3] == palette[1::3] == palette[2::3]
    return image.mode in {"1", "L", "LA", *SIXTEEN_BITS}


def conversions(image: Image.Image) -> list[str]:
    """Each loss of a picture on its way to an array, in words that follow a number of pictures."""
    found = []
    if image.mode == "CMYK":
        found.append("in CMYK, made RGB without a colour profile")
    if image.mode in SIXTEEN_BITS:
        found.append("of 16 bits per pixel, of which the upper eight are kept")
    with suppress(Exception):  # the pixels are there; a damaged note about them says nothing
        alpha = np.asarray(image.convert("RGBA"))[..., 3] if image.has_transparency_data else None
        if alpha is not None and alpha.min() < LARGEST_BYTE:
            found.append("with transparent pixels, laid over white")
        if getattr(image, "is_animated", False):
            found.append("animated, of which the first frame is used")
        if image.getexif().get(ExifTags.Base.Orientation, UPRIGHT) != UPRIGHT:
            found.append("turned by a note of the camera (EXIF), which is not followed")
    return found


def _eight_bits(image: Image.Image, name: str) -> Image.Image:
    """The upper eight of 16 bits."""
    values = np.asarray(image)
    if values.min() < values.max() <= LARGEST_BYTE:
        raise DataError(
            f"{name}: has 16 bits per pixel, of which it uses 0 to {values.max()}; nothing of that "
            "is left in 8 bits. Scale its values to 0 to 65535, or save it with 8 bits."
        )
    upper = np.clip(values // (LARGEST_BYTE + 1), 0, LARGEST_BYTE).astype(np.uint8)
    if image.has_transparency_data:  # one value that stands for transparent pixels
        upper[values == image.info["transparency"]] = LARGEST_BYTE
    return Image.fromarray(upper)


def _too_many_pixels(name: str, found: str) -> TooLargeError:
    return TooLargeError(
        f"{name}: has {found} by its header, so it was not decoded; {MOST_PIXELS:,} pixels are the "
        "most that are read. Save it smaller."
    )


def _damaged(name: str, error: Exception) -> DataError:
    reason = " ".join(str(error).split()) or type(error).__name__
    return DataError(f"{name}: cannot be read as a picture, it is damaged or cut short: {reason}.")
