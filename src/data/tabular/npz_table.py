"""Reads the arrays `x` and `y` of an NPZ file, never unpickling and never trusting its sizes."""

from __future__ import annotations

import math
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.lib import format as npy
from numpy.typing import NDArray

from src.data.errors import DataError, shortened

NUMBERS = "fiub"
LABELS = NUMBERS + "US"
# Bytes that one byte can become: deflate makes at most 1,032.
EXPANSION = {zipfile.ZIP_STORED: 1, zipfile.ZIP_DEFLATED: 1032}


def read_npz(path: Path, largest: int) -> pd.DataFrame:
    """Reads features `x` (rows, columns) and labels `y` (rows,).

    Each array's header is held against its size in the archive before memory is taken for it.

    Args:
        path: the file.
        largest: values that an array may have.

    Returns:
        Columns `column_0`, ... of x, dtype as in the file, and the column `y`.

    Raises:
        DataError: for a damaged file, pickled objects, a missing array or shapes that do not fit.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = [name.removesuffix(".npy") for name in archive.namelist()]
            if not {"x", "y"} <= set(members):
                raise DataError(
                    f"{path}: needs the arrays 'x' and 'y', as np.savez(path, x=x, y=y) writes "
                    f"them; it holds {shortened(members) or 'nothing'}."
                )
            x, y = (_read_array(archive, name, path, largest) for name in "xy")
    except DataError:
        raise
    except Exception as error:  # A damaged archive makes zipfile, zlib and NumPy raise anything.
        raise DataError(
            f"{path}: cannot be read as an NPZ file: {error or type(error)}."
        ) from error
    return _frame(x, y, path)


def _read_array(archive: zipfile.ZipFile, name: str, path: Path, largest: int) -> NDArray[Any]:
    info = archive.getinfo(f"{name}.npy")
    with archive.open(info) as stream:
        version = npy.read_magic(stream)
        read_header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, _, dtype = read_header(stream)
        if dtype.hasobject:
            raise DataError(
                f"{path}: array {name!r} holds pickled Python objects, which are never loaded; "
                "save it as numbers or as fixed-width text (dtype 'U')."
            )
        promised = math.prod(shape) * dtype.itemsize
        held = info.file_size - stream.tell()
        if promised != held or math.prod(shape) > largest or promised > largest * 8:
            raise DataError(
                f"{path}: array {name!r} promises shape {shape}, {promised} bytes; the archive "
                f"says {held}, and {largest:,} values are the most that fit."
            )
        if held > EXPANSION.get(info.compress_type, 0) * info.compress_size:
            raise DataError(
                f"{path}: array {name!r} promises {promised} bytes, more than its "
                f"{info.compress_size} bytes in the archive can hold (np.savez and "
                "np.savez_compressed write what is read here)."
            )
    with archive.open(info) as stream:
        return npy.read_array(stream, allow_pickle=False)


def _frame(x: NDArray[Any], y: NDArray[Any], path: Path) -> pd.DataFrame:
    if x.ndim != 2 or x.dtype.kind not in NUMBERS:
        raise DataError(
            f"{path}: 'x' has shape {x.shape} and dtype {x.dtype}; right is a two-dimensional "
            "array of numbers, one row an example."
        )
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.ndim != 1 or y.dtype.kind not in LABELS:
        raise DataError(
            f"{path}: 'y' has shape {y.shape} and dtype {y.dtype}; right is one label a row, whole "
            "numbers or text."
        )
    if len(x) != len(y):
        raise DataError(f"{path}: 'x' has {len(x)} rows and 'y' has {len(y)}; they must be equal.")
    if y.dtype.kind == "S":
        y = np.char.decode(y, "utf-8", "replace")
    if x.dtype.kind == "b":
        x = x.astype(np.uint8)
    # Half precision would lose digits in the checks and medians that follow.
    x = x.astype(np.float32) if x.dtype == np.float16 else x
    frame = pd.DataFrame(x, columns=[f"column_{i}" for i in range(x.shape[1])])
    frame["y"] = y
    return frame
