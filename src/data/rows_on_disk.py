"""Rows of an array in a file that does not fit into memory, read when they are used."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from src.data.errors import DataError


class RowsOnDisk:
    """Some rows of a memory-mapped array, which can be read in parts but not as a whole.

    `rows[index]`, with a number, a slice or an array of row numbers, reads these rows alone.

    Args:
        array: memory-mapped, shape (n, ...).
        chosen: row numbers, int64, shape (m,).

    Attributes:
        shape: (m, ...).
        dtype: of the array.
    """

    def __init__(self, array: NDArray[Any], chosen: NDArray[np.int64]) -> None:
        self._array, self._chosen = array, chosen
        self.shape: tuple[int, ...] = (len(chosen), *array.shape[1:])
        self.dtype = array.dtype

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return len(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes that the rows would take in memory."""
        return int(np.prod(self.shape, dtype=np.int64)) * self.dtype.itemsize

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Any) -> NDArray[Any]:
        return np.array(self._array[self._chosen[index]])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """Refuses to read all rows at once.

        Raises:
            DataError: says what would make them fit.
        """
        raise DataError(
            f"the images take {self.nbytes / 1e9:,.1f} GB and stay on disk, but what was asked for "
            "needs all of them in memory at once. Raise data.memory_share where the memory is "
            "there, with data=image_folder lower data.image_size, or leave out what needs it: "
            "references=none, sampling=none."
        )
