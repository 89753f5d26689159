"""Reads all pictures of a folder: their sizes and colours first, then their pixels, once."""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from joblib import cpu_count
from numpy.typing import NDArray

from src.data.errors import DataError
from src.data.images.decode import (
    GRAYSCALE,
    RGB,
    conversions,
    is_gray,
    open_picture,
    read_file,
    to_array,
)
from src.data.images.pictures import hash_pixels

T = TypeVar("T")

LARGEST_SIDE = 128
"""Pixels of a picture of `image_size=auto`: a small network can train on these on a few cores."""
AT_ONCE = 4096
TELL_EVERY = 10.0
"""Seconds between two lines about progress."""

logger = logging.getLogger(__name__)


def find_look(
    paths: Sequence[Path], source: str, *, size: tuple[int, int] | None, color: str | None
) -> tuple[tuple[int, int], str]:
    """The size and the colours that pictures are brought to where none are given.

    The size is the median height and the median width, made smaller by the same factor where one
    of them is above `LARGEST_SIDE`; `rgb` where a single picture has colours by its header.

    Raises:
        DataError: where not a single picture can be read.
    """
    if size is not None and color is not None:
        return size, color

    def look(row: int) -> tuple[int, int, bool] | None:
        return _look(paths[row])

    found = _each(len(paths), look, f"{source}: looking at the sizes of pictures")
    looks = [one for one in found if one]
    if not looks:
        raise DataError(f"{source}: none of its {len(paths):,} pictures can be read.")
    heights, widths, grays = zip(*looks, strict=True)
    middle = np.median(heights), np.median(widths)
    factor = min(1.0, LARGEST_SIDE / max(middle))
    height, width = (max(1, round(side * factor)) for side in middle)
    return size or (height, width), color or (GRAYSCALE if all(grays) else RGB)


def _look(path: Path) -> tuple[int, int, bool] | None:
    """Height, width and whether it is gray, by the header; None where this cannot be read."""
    try:
        with path.open("rb") as stream:
            image = open_picture(stream, str(path))
            return image.height, image.width, is_gray(image)
    except (OSError, DataError):
        return None


def decode_all(
    paths: Sequence[Path],
    images: NDArray[np.uint8],
    source: str,
    *,
    size: tuple[int, int],
    color: str,
) -> dict[str, Any]:
    """Decodes pictures on all cores; a damaged one does not end it.

    Args:
        paths: of n pictures.
        images: filled, uint8, shape (n, H, W, C); rows of damaged pictures stay as they are.
        source: the folder, for progress.
        size: height and width, in pixels.
        color: `grayscale` or `rgb`.

    Returns:
        In plain values: `hashes`, 64 bits of the pixels of each, 0 of a damaged one; `damaged`, the
        reason by row; `converted`, rows of the pictures that lost something, by what it is.
    """
    hashes, damaged, converted = [0] * len(paths), {}, defaultdict(list)

    def read(row: int) -> str | tuple[int, list[str]]:
        path = paths[row]
        try:
            image = open_picture(read_file(path), str(path))
            images[row] = to_array(image, str(path), size=size, color=color)
        except DataError as error:
            return str(error)
        return hash_pixels(images[row]), conversions(image)

    for row, found in enumerate(_each(len(paths), read, f"{source}: decoding pictures")):
        if isinstance(found, str):
            damaged[row] = found
            continue
        hashes[row], lost = found
        for what in lost:
            converted[what].append(row)
    return {"hashes": hashes, "damaged": damaged, "converted": converted}


def _each(rows: int, work: Callable[[int], T], doing: str) -> Iterator[T]:
    """The results of a function for each row, in order, from all cores; logs the progress."""
    began = told = time.monotonic()
    with ThreadPoolExecutor(cpu_count()) as pool:  # Pillow decodes without Python's lock
        for start in range(0, rows, AT_ONCE):
            numbers = range(start, min(start + AT_ONCE, rows))
            for row, found in zip(numbers, pool.map(work, numbers), strict=True):
                yield found
                now = time.monotonic()
                if now - told >= TELL_EVERY:
                    told = now
                    left = (now - began) / (row + 1) * (rows - row - 1)
                    logger.info("%s, %d of %d, %.0f s left", doing, row + 1, rows, left)
