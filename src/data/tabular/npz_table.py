"""Reads the arrays `x` and `y` of an NPZ file, never unpickling and never trusting its sizes.

Files as Keras's data sets have them hold `x_train`, `y_train`, `x_test` and `y_test` instead.
"""

from __future__ import annotations

import math
import zipfile
from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager, suppress
from functools import partial
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.lib import format as npy
from numpy.typing import NDArray

from src.data.errors import DataError, shortened, unreadable
from src.data.tabular.limits import refuse_large, refuse_wide

NUMBERS = "fiub"
LABELS = NUMBERS + "US"
EXPANSION = {zipfile.ZIP_STORED: 1, zipfile.ZIP_DEFLATED: 1032}
"""Bytes that one byte can become: deflate makes at most 1,032."""


class NpzTable(AbstractContextManager["NpzTable"]):
    """The array `x` of an NPZ file, and `y` for training; see `TableFile`.

    An array's header is compared with its size in the archive before memory is taken for it.

    Args:
        stream: the file; closed with the table.
        source: its name in errors.
        split: of which the arrays are read, such as `train` for `x_train` and `y_train`; empty for
            `x` and `y`.

    Attributes:
        shape: of `x`.
        dtype: of `x`.
    """

    def __init__(self, stream: IO[bytes], source: str, split: str = "") -> None:
        self._file, self.source = stream, source
        self.x, self.y = (f"{name}_{split}" if split else name for name in "xy")
        # A damaged archive makes zipfile, zlib and NumPy raise anything.
        self._named = partial(unreadable, source, "an NPZ file", Exception)
        self.done = 0
        with self._named():
            self._archive = zipfile.ZipFile(stream)
            self._rows, self.shape, self.dtype, self._fortran = self._open(self.x)
        if self.dtype.kind not in NUMBERS or len(self.shape) < 2:
            raise self._misshapen()
        if len(self.shape) == 2:
            refuse_wide(self.shape[1], source)
        self.total = self.shape[0]

    @property
    def names(self) -> list[str]:
        """`column_0`, `column_1`, ... of a two-dimensional array; else none."""
        return [f"column_{i}" for i in range(self.shape[1])] if len(self.shape) == 2 else []

    def type_of(self, name: str) -> pa.DataType:
        """The type of `x`."""
        return pa.from_numpy_dtype(_usable(np.empty(0, self.dtype)).dtype)

    def chunks(
        self, size: int | None = None, as_text: Collection[str] = ()
    ) -> Iterator[NDArray[Any]]:
        """Arrays, read as a stream."""
        if self._fortran and self.total > 1:
            raise DataError(
                f"{self.source}: {self.x!r} is stored column by column (Fortran order); right is "
                f"row by row: np.savez(path, {self.x}=np.ascontiguousarray({self.x}))."
            )
        row = math.prod(self.shape[1:]) * self.dtype.itemsize
        for start in range(0, self.total or 1, size or self.total or 1):
            rows = min(size or self.total, self.total - start)
            with self._named():
                flat = np.frombuffer(self._rows.read(rows * row), self.dtype)
                part = flat.reshape(rows, *self.shape[1:])
            self.done += rows
            yield _usable(part)

    def read(self, largest: int) -> pd.DataFrame:
        """Columns `column_0`, ... of x, dtype as in the file, and the column `y`."""
        x = self._whole(self.x, largest)
        if x.ndim != 2:
            raise self._misshapen()
        y = self.labels(largest)
        frame = pd.DataFrame(_usable(x), columns=self.names)
        frame["y"] = y
        return frame

    def labels(self, largest: int) -> NDArray[Any]:
        """The array `y`, one label per row of `x`, of at most so many."""
        y = self._whole(self.y, largest)
        y = y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y
        if y.ndim != 1 or y.dtype.kind not in LABELS:
            raise DataError(
                f"{self.source}: {self.y!r} has shape {y.shape} and dtype {y.dtype}; right is one "
                "label per row, whole numbers or text."
            )
        if len(y) != self.total:
            raise DataError(
                f"{self.source}: {self.x!r} has {self.total} rows and {self.y!r} has {len(y)}; "
                "they must be equal."
            )
        return np.char.decode(y, "utf-8", "replace") if y.dtype.kind == "S" else y

    def __exit__(self, *error: object) -> None:
        self._archive.close()
        self._file.close()

    def _whole(self, name: str, largest: int) -> NDArray[Any]:
        with self._named():
            stream, shape, dtype, fortran = self._open(name)
            if math.prod(shape) * max(dtype.itemsize, 8) > largest * 8:
                raise DataError(
                    f"{self.source}: array {name!r} has shape {shape}; {largest:,} values are the "
                    "most that fit."
                )
            refuse_large(shape[0] if shape else 1, math.prod(shape[1:]), largest, self.source)
            flat = np.frombuffer(stream.read(), dtype) if 0 not in shape else np.empty(0, dtype)
            return flat.reshape(shape, order="F" if fortran else "C")

    def _open(self, name: str) -> tuple[IO[bytes], tuple[int, ...], np.dtype[Any], bool]:
        """An array after its header: stream, shape, dtype, and whether columns come first."""
        members = [member.removesuffix(".npy") for member in self._archive.namelist()]
        if name not in members:
            x, y = self.x, self.y
            alone = f" ({x!r} alone to predict)" if x in ("x", "x_test") else ""
            split = x == "x" and "x_train" in members
            hint = "; data=image_arrays trains on pictures in this form" if split else ""
            raise DataError(
                f"{self.source}: needs the arrays {x!r} and {y!r}, as np.savez(path, {x}={x}, "
                f"{y}={y}) writes them{alone}; it holds {shortened(members) or 'nothing'}{hint}."
            )
        info = self._archive.getinfo(f"{name}.npy")
        stream = self._archive.open(info)
        version = npy.read_magic(stream)
        read_header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, fortran, dtype = read_header(stream)
        where = f"{self.source}: array {name!r}"
        if dtype.hasobject:
            raise DataError(
                f"{where} holds pickled Python objects, which are never loaded; save it as numbers "
                "or as fixed-width text (dtype 'U')."
            )
        promised, held = math.prod(shape) * dtype.itemsize, info.file_size - stream.tell()
        if promised != held:
            raise DataError(
                f"{where} promises shape {shape}, {promised} bytes; the archive says {held}."
            )
        if held > EXPANSION.get(info.compress_type, 0) * info.compress_size:
            raise DataError(
                f"{where} promises {promised} bytes, more than its {info.compress_size} bytes in "
                "the archive can hold (np.savez and np.savez_compressed write what is read here)."
            )
        return stream, shape, dtype, fortran

    def _misshapen(self) -> DataError:
        return DataError(
            f"{self.source}: {self.x!r} has shape {self.shape} and dtype {self.dtype}; right is a "
            "two-dimensional array of numbers, one row per example (for images: as trained on, and "
            "data=image_arrays to train on them)."
        )


def splits_in(file: Path) -> tuple[str, ...]:
    """The splits that a file has arrays of, as `x_train`; a single "" where it has none such."""
    members: set[str] = set()
    with suppress(Exception):  # a damaged file is refused where its arrays are read
        if file.is_file():  # a pipe would be waited for
            with zipfile.ZipFile(file) as archive:
                members = {name.removesuffix(".npy") for name in archive.namelist()}
    if "x" in members or "x_train" not in members:
        return ("",)
    return ("train", "val", "test") if "x_val" in members else ("train", "test")


def _usable(rows: NDArray[Any]) -> NDArray[Any]:
    """Truth as numbers, and half precision, which would lose digits in medians, as single."""
    if rows.dtype.kind == "b":
        return rows.astype(np.uint8)
    return rows.astype(np.float32) if rows.dtype == np.float16 else rows
