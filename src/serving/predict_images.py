"""Predicts the pictures of a folder, a chunk at a time."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from src.data.errors import DataError
from src.data.images.decode import SUFFIXES
from src.data.images.preprocessing import ImagePreprocessing
from src.data.rows_at_once import rows_at_once
from src.saved_model.facts import CLASS
from src.serving.answer_file import answer_file
from src.serving.find import SavedModel
from src.serving.tally import Tally, progress

READERS = 8
"""Threads that decode; Pillow lets others work meanwhile."""
FILE = "file"
"""The column that says which picture a row is about."""


def are_pictures(path: Path) -> bool:
    """Whether a path is a folder, or the file of a picture by its name."""
    return path.is_dir() or path.suffix.lower() in SUFFIXES


def predict_images(
    model: SavedModel, path: Path, out: Path, decision: str, *, skip_damaged: bool = False
) -> Tally:
    """Predicts every picture of a folder and of those below it, or one picture.

    Where each folder that holds pictures has the name of a class, these are taken for the labels.

    Args:
        model: the model.
        path: the folder, or the file of one picture.
        out: where the answer goes: names of files in the folder, classes, probabilities.
        decision: one of ``DECISIONS``.
        skip_damaged: whether pictures that cannot be read are left out, rather than refused.

    Raises:
        DataError: for a model that takes none, a folder without any, or one that cannot be read.
    """
    if model.facts is None or model.facts.images is None:
        takes = "a table, as it was trained on" if model.facts and model.facts.table else "arrays"
        raise DataError(f"{path}: holds pictures; {model.title} takes {takes}, in a file")
    files, others = _listed(path) if path.is_dir() else ([path.name], [])
    folder = path if path.is_dir() else path.parent
    classes = [Path(name).parent.name for name in files]
    labelled = {*classes} <= {*model.facts.class_names}
    truth = "The name of each folder is the label" if labelled else ""
    tally = Tally(model.facts.class_names, "pictures", truth, tuple(others))
    true = tally.numbers_of(classes if labelled else [""] * len(files))
    read = partial(_read, model.facts.images, skip_damaged=skip_damaged)
    size = rows_at_once(model.facts.input_shape)
    with (
        answer_file(out, model.facts, {FILE: pa.string()}) as write,
        ThreadPoolExecutor(min(READERS, os.cpu_count() or 1)) as readers,
    ):
        loaded = model.load()
        with progress(tally, path.name, len(files)) as show:
            for start in range(0, len(files), size):
                part = range(start, min(start + size, len(files)))
                found = [*readers.map(read, (folder / files[row] for row in part))]
                right = [row for row, one in zip(part, found, strict=True) if one is not None]
                tally.damaged += [files[row] for row in part if row not in right]
                if right:
                    pixels = np.stack([one for one in found if one is not None])
                    predicted = dict(loaded.predict(pixels, decision).items())
                    tally.add(predicted[CLASS], true[right])
                    write({FILE: [_printable(files[row]) for row in right]} | predicted)
                show(part.stop)
    return tally


def _listed(folder: Path) -> tuple[list[str], list[str]]:
    """The pictures below a folder by their suffix, and what else is there; sorted.

    Hidden files are passed over. No link is followed out of the folder, nor one to a folder.
    """
    inside = folder.resolve()
    pictures: list[str] = []
    others: list[str] = []
    for place, folders, names in os.walk(folder):
        here = Path(place)
        others += [
            str((here / name).relative_to(folder)) for name in folders if (here / name).is_symlink()
        ]
        folders[:] = [name for name in folders if not name.startswith(".")]
        for file in (here / name for name in names if not name.startswith(".")):
            right = file.suffix.lower() in SUFFIXES and file.resolve().is_relative_to(inside)
            (pictures if right else others).append(str(file.relative_to(folder)))
    if not pictures:
        raise DataError(f"{folder}: holds no file that ends in {', '.join(SUFFIXES)}")
    return sorted(pictures), sorted(others)


def _read(
    images: ImagePreprocessing, file: Path, *, skip_damaged: bool
) -> NDArray[np.uint8] | None:
    """The pixels of a picture; None for a damaged one that is to be skipped."""
    try:
        return images.transform([file])[0]
    except DataError:
        if skip_damaged:
            return None
        raise


def _printable(name: str) -> str:
    """A file's name as text, whatever bytes it is made of."""
    return os.fsencode(name).decode("utf-8", "replace")
