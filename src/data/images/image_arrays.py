"""Your own pictures as arrays: `x` and `y` of an NPZ file.

Example:
    `python train.py data=image_arrays data.path=pictures.npz model=cnn`
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from src.config.image_schema import ImageArraysConfig
from src.data.dataset import Dataset
from src.data.errors import DataError
from src.data.images.cache import ImageCache
from src.data.images.pictures import Pictures, Profile, number_pictures
from src.data.latest import Latest, state_of
from src.data.parameters import checked_by
from src.data.splitting.plan import RowMarks, Splitting
from src.data.tabular.labels import encode_labels
from src.data.tabular.limits import usable_memory
from src.data.tabular.npz_table import NpzTable
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
    split: str = "auto",
    folds: int = 5,
    duplicates: str = "group",
    profile: str = "none",
    imbalance_ratio: float = 100.0,
    rare_classes: Sequence[int | str] = (),
    imbalance_test: bool = False,
    memory_share: float = 0.25,
    cache: str | None = None,
    val_fraction: float = 0.2,
    test_fraction: float = 0.2,
) -> Dataset:
    """Reads pictures from the arrays of an NPZ file.

    Args:
        path: a .npz file with `x`, uint8, shape (n, H, W) or (n, H, W, C), and `y`, shape (n,),
            whole numbers or text.
        seed: of the split, and of the pictures left out.
        split: `auto`, `random` or `kfold`; `auto` is `random`.
        folds: of `kfold`.
        duplicates: what becomes of pictures with the same pixels: `group`, `drop` or `keep`.
        profile: `step`, `longtail` or `none`.
        imbalance_ratio: pictures of the largest class over those of the rarest, at least 1.
        rare_classes: names or numbers of the rare classes; for `longtail` the end of the tail.
        imbalance_test: whether the test split gets the profile too.
        memory_share: of the memory that this process may have; pictures that take more are
            unpacked to disk and read batch by batch.
        cache: folder for these; None for the user's own cache.
        val_fraction: share for validation.
        test_fraction: share for the test.

    Returns:
        The data set.

    Raises:
        DataError: for a file or a value that cannot be used.
    """
    file = Path(path).expanduser()

    def read() -> Pictures:
        return _read(file, path, ImageCache(cache), memory_share, duplicates)

    key = (file.absolute(), state_of(file), path, duplicates, memory_share, cache)
    pictures = latest.get(key, read)
    how = Splitting(
        split=split, folds=folds, val_fraction=val_fraction, test_fraction=test_fraction
    )
    made = Profile(
        profile=profile,
        imbalance_ratio=imbalance_ratio,
        rare_classes=rare_classes,
        imbalance_test=imbalance_test,
    )
    return pictures.split(seed, how, made, memory_share=memory_share)


def _read(
    file: Path, source: str, cache: ImageCache, memory_share: float, duplicates: str
) -> Pictures:
    given = f"data.path={source!r}"
    if file.is_file() and file.suffix.lower() != ".npz":
        raise DataError(f"{given} ends in {file.suffix!r}; pictures as arrays are a .npz file.")
    with open_table(file, given, TextFormat()) as opened:
        assert isinstance(opened, NpzTable)
        shape = _shape(opened)
        labels = opened.labels(MOST_PICTURES)

        rows = max(BYTES_AT_ONCE // math.prod(shape[1:]), 1)

        def unpack(entry: Path) -> dict[str, Any]:
            _fill(cache.new_array(entry, shape), opened.chunks(rows))
            return {}

        if math.prod(shape) > memory_share * usable_memory():
            where = str(file.resolve())
            key = hashlib.sha256(json.dumps([where, *state_of(file)]).encode()).hexdigest()
            images, _ = cache.get(key, where, unpack)
        else:
            images = np.empty(shape, np.uint8)
            _fill(images, opened.chunks(rows))
    y, class_names = encode_labels(pd.Series(labels, name="y"), source)
    pictures = Pictures(
        images=images,
        rows=np.arange(len(y)),
        y=y,
        class_names=class_names,
        files=(),
        marks=RowMarks(),
        numbers=number_pictures(images),
        duplicates=duplicates,
        name=file.stem,
        source=source,
        preprocessing=None,
    )
    pictures.tell_duplicates()
    return pictures


def _shape(opened: NpzTable) -> tuple[int, ...]:
    shape = opened.shape
    if opened.dtype != np.uint8 or len(shape) not in (GRAY, COLOURED) or 0 in shape:
        raise DataError(
            f"{opened.source}: 'x' has shape {shape} and dtype {opened.dtype}; pictures are uint8, "
            "0 to 255, of shape (n, height, width) or (n, height, width, channels)."
        )
    return shape if len(shape) == COLOURED else (*shape, 1)


def _fill(images: NDArray[np.uint8], parts: Iterator[NDArray[Any]]) -> None:
    start = 0
    for part in parts:
        images[start : start + len(part)] = part.reshape(len(part), *images.shape[1:])
        start += len(part)
