"""Your own pictures as arrays of an NPZ file: `x` and `y`, or split as Keras's data sets are.

Example:
    `python train.py data=image_arrays data.path=pictures.npz model=cnn`
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from src.config.image_schema import ImageArraysConfig
from src.data.dataset import SPLITS, Dataset
from src.data.errors import DataError
from src.data.images.cache import ImageCache
from src.data.images.pictures import Pictures, Profile, number_pictures, with_given_splits
from src.data.latest import Latest, state_of
from src.data.parameters import checked_by
from src.data.splitting.plan import RowMarks, Splitting
from src.data.tabular.labels import encode_labels
from src.data.tabular.limits import usable_memory
from src.data.tabular.npz_table import NpzTable, splits_in
from src.data.tabular.table_file import open_table
from src.data.tabular.text_format import TextFormat

MOST_PICTURES = 100_000_000
BYTES_AT_ONCE = 64 * 2**20
GRAY, COLOURED = 3, 4
"""Dimensions of arrays of pictures, without channels and with them."""

latest = Latest[Pictures]()


@checked_by(ImageArraysConfig)
def image_arrays(
    path: str,
    seed: int = 0,
    *,
    duplicates: str = "group",
    memory_share: float = 0.25,
    cache: str | None = None,
    **further: Any,
) -> Dataset:
    """Reads pictures from the arrays of an NPZ file.

    Args:
        path: a .npz file with `x`, uint8, shape (n, H, W) or (n, H, W, C), and `y`, shape (n,),
            whole numbers or text; or with `x_train`, `y_train`, `x_test`, `y_test` of these kinds,
            and `x_val` and `y_val` or without these.
        seed: of the split, and of the pictures left out.
        duplicates: `group`, `drop` or `keep` pictures with the same pixels.
        memory_share: of the memory that this process may have; pictures that take more are
            unpacked to disk and read batch by batch.
        cache: folder for these; None for the user's own cache.
        further: values of :class:`Splitting` and :class:`Profile`; the split `given` takes the
            arrays of each split, `random` and `kfold` split all pictures, and `auto` is `given`
            where the arrays are split, else `random`.

    Returns:
        The data set.

    Raises:
        DataError: for a file or a value that cannot be used.
    """
    how, profile = Splitting.taken_from(further), Profile(**further)
    file = Path(path).expanduser()

    def read() -> Pictures:
        return _read(file, path, ImageCache(cache), memory_share, duplicates)

    key = (file.absolute(), state_of(file), path, duplicates, memory_share, cache)
    pictures = latest.get(key, read)
    how = with_given_splits(how, pictures.marks.part, path)
    return pictures.split(seed, how, profile, memory_share=memory_share)


def _read(
    file: Path, source: str, cache: ImageCache, memory_share: float, duplicates: str
) -> Pictures:
    given = f"data.path={source!r}"
    if file.is_file() and file.suffix.lower() != ".npz":
        raise DataError(f"{given} ends in {file.suffix!r}; pictures as arrays are a .npz file.")
    splits = splits_in(file)
    with ExitStack() as stack:
        opened = [
            stack.enter_context(open_table(file, given, TextFormat(), split=split))
            for split in splits
        ]
        tables = [table for table in opened if isinstance(table, NpzTable)]
        shape = _shape(tables)
        labels = np.concatenate([table.labels(MOST_PICTURES) for table in tables])

        def unpack(entry: Path) -> dict[str, Any]:
            _fill(cache.new_array(entry, shape), tables)
            return {}

        if math.prod(shape) > memory_share * usable_memory():
            where = str(file.resolve())
            key = hashlib.sha256(json.dumps([where, *state_of(file)]).encode()).hexdigest()
            images, _ = cache.get(key, where, unpack)
        else:
            images = np.empty(shape, np.uint8)
            _fill(images, tables)
    y, class_names = encode_labels(pd.Series(labels, name="y"), source)
    numbers = [SPLITS.index(split) for split in splits if split]
    pictures = Pictures(
        images=images,
        rows=np.arange(len(y)),
        y=y,
        class_names=class_names,
        files=(),
        marks=RowMarks(
            part=np.repeat(numbers, [table.total for table in tables]) if numbers else None
        ),
        numbers=number_pictures(images),
        duplicates=duplicates,
        name=file.stem,
        source=source,
        preprocessing=None,
    )
    pictures.tell_duplicates()
    return pictures


def _shape(tables: Sequence[NpzTable]) -> tuple[int, ...]:
    """Of all pictures together: (n, H, W, C)."""
    first, *others = tables
    for table in tables:
        shape = table.shape
        if table.dtype != np.uint8 or len(shape) not in (GRAY, COLOURED) or 0 in shape:
            raise DataError(
                f"{table.source}: {table.x!r} has shape {shape} and dtype {table.dtype}; pictures "
                "are uint8, 0 to 255, of shape (n, height, width) or (n, height, width, channels)."
            )
    for table in others:
        if table.shape[1:] != first.shape[1:]:
            raise DataError(
                f"{table.source}: {table.x!r} has shape {table.shape} and {first.x!r} has shape "
                f"{first.shape}; pictures of all splits must be of one size."
            )
    size = first.shape[1:] if len(first.shape) == COLOURED else (*first.shape[1:], 1)
    return (sum(table.total for table in tables), *size)


def _fill(images: NDArray[np.uint8], tables: Iterable[NpzTable]) -> None:
    start, rows = 0, max(BYTES_AT_ONCE // images[0].size, 1)
    for table in tables:
        for part in table.chunks(rows):
            images[start : start + len(part)] = part.reshape(len(part), *images.shape[1:])
            start += len(part)
