"""Pictures as they reach a saved model: bytes of a file, or these as base64 text."""

from __future__ import annotations

import base64
import binascii

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from src.data.errors import CellError, DataError
from src.data.images.preprocessing import ImagePreprocessing
from src.saved_model.facts import IMAGE

RIGHT = "right are the bytes of a PNG, JPEG, BMP or GIF file, or these as base64 text"


def pixels_of(rows: pd.DataFrame, images: ImagePreprocessing) -> NDArray[np.uint8]:
    """The pixels of a table's pictures, read as those that the model was trained on.

    Args:
        rows: n rows with the column ``image``; others are ignored.
        images: how they are read.

    Returns:
        uint8, shape (n, height, width, channels).

    Raises:
        DataError: where there is no such column.
        CellError: for the first picture that cannot be read.
    """
    if IMAGE not in rows:
        raise DataError(f"column {IMAGE!r} is missing; {RIGHT}")
    pixels = np.empty((len(rows), *images.input_shape), np.uint8)
    for row, cell in enumerate(rows[IMAGE]):
        try:
            pixels[row] = images.transform([file_in(cell)])[0]
        except DataError as error:
            raise CellError(row, IMAGE, str(error)) from error
    return pixels


def file_in(cell: object) -> bytes:
    """The bytes of the file that a cell holds.

    Raises:
        DataError: where it holds none.
    """
    if isinstance(cell, bytes):
        return cell
    if not isinstance(cell, str):
        raise DataError(f"{type(cell).__name__} is no picture; {RIGHT}")
    try:
        return base64.b64decode("".join(cell.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise DataError(f"is no base64 text ({error}); {RIGHT}") from error
