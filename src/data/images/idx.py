"""Strict reader of IDX, the file format of MNIST and its kin.

Format: four bytes 0, 0, type, rank; then `rank` big-endian 32-bit sizes; then the values in C
order. Only unsigned bytes (type 0x08) are read here. Source: LeCun, Cortes and Burges, "The MNIST
database of handwritten digits".
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from src.data.errors import DataError, unreadable

UNSIGNED_BYTE = 0x08
GZIP_MAGIC = b"\x1f\x8b"
LARGEST_EXPANSION = 1032
"""Bytes that deflate can make of one."""
LARGEST_ARRAY = 2**31


def read_idx(path: Path, rank: int) -> NDArray[np.uint8]:
    """Reads an IDX file, gzip-compressed or not: of rank 3 for images, of rank 1 for labels.

    No more is decompressed than the header promises, and a header that promises more than a file
    of this size can hold is refused before anything is read.

    Returns:
        uint8 array of the shape in the header.

    Raises:
        DataError: for a file that cannot be read, is damaged, cut short or too long, or holds
            anything else.
    """
    with (
        unreadable(str(path), "an IDX file", OSError, EOFError, zlib.error),
        path.open("rb") as file,
    ):
        compressed = file.peek(2)[:2] == GZIP_MAGIC
        stream = gzip.GzipFile(fileobj=file) if compressed else file
        header = stream.read(4 + 4 * rank)
        magic = bytes([0, 0, UNSIGNED_BYTE, rank])
        if header[:4] != magic:
            raise DataError(
                f"{path}: begins with {header[:4].hex(' ') or 'nothing'}; an IDX file of unsigned "
                f"bytes with {rank} dimension(s) begins with {magic.hex(' ')}."
            )
        if len(header) < 4 + 4 * rank:
            raise DataError(f"{path}: is cut short within its header.")
        shape = struct.unpack(f">{rank}I", header[4:])
        size, on_disk = math.prod(shape), path.stat().st_size
        if size == 0:
            raise DataError(f"{path}: holds no values; its header says shape {shape}.")
        if size > min(on_disk * (LARGEST_EXPANSION if compressed else 1), LARGEST_ARRAY):
            raise DataError(
                f"{path}: its header promises shape {shape}, more than a file of {on_disk} bytes "
                "can hold."
            )
        values = stream.read(size)
        if len(values) < size:
            raise DataError(
                f"{path}: is cut short: {len(values)} of the {size} values that its header "
                "promises."
            )
        if stream.read(1):
            raise DataError(f"{path}: goes on after the {size} values that its header promises.")
    return np.frombuffer(values, dtype=np.uint8).reshape(shape)
