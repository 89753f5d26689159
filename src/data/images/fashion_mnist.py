"""Fashion-MNIST, 28x28 grey images of ten kinds of clothes, made imbalanced.

Source: Xiao, Rasul and Vollgraf 2017, "Fashion-MNIST: a novel image dataset for benchmarking
machine learning algorithms": 60,000 images to train and 10,000 to test, balanced.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from src.config.image_schema import FashionMNISTConfig
from src.data.dataset import Dataset, Pixels
from src.data.errors import DataError
from src.data.images.idx import read_idx
from src.data.imbalance import imbalance
from src.data.parameters import checked_by
from src.data.splitting.split import check_class_counts, stratified_split, stratified_subset

CLASS_NAMES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
OFFICIAL = {
    "train-images-idx3-ubyte.gz": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
    "train-labels-idx1-ubyte.gz": "25c81989df183df01b3e8a0aad5dffbe",
    "t10k-images-idx3-ubyte.gz": "bef4ecab320f06d8554ea6380940ec79",
    "t10k-labels-idx1-ubyte.gz": "bb300cfdad3c16e7a12a480ee83cd310",
}
"""The official files and their published MD5 sums."""
ORIGIN = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"

logger = logging.getLogger(__name__)


@checked_by(FashionMNISTConfig)
def fashion_mnist(
    seed: int = 0,
    *,
    root: str | None = None,
    profile: str = "longtail",
    imbalance_ratio: float = 100.0,
    rare_classes: Sequence[int | str] = (),
    imbalance_test: bool = False,
    max_train: int | None = None,
    split: str = "auto",
    val_fraction: float = 0.2,
) -> Dataset:
    """Ten kinds of clothes as images of shape (28, 28, 1), some of them made rare.

    The official test images stay the test split; validation images come out of the official
    training images, and both training and validation rows are then left out to the profile. The
    test split stays balanced, as in Cui et al. 2019 and Cao et al. 2019, unless asked otherwise.

    Args:
        seed: of the train/validation split and of the rows left out.
        root: folder with the four IDX files, each with or without `.gz`; None downloads them to
            Keras's cache, once.
        profile: `step`, `longtail` or `none`.
        imbalance_ratio: rows of the largest class over rows of the rarest, at least 1.
        rare_classes: names or numbers of the rare classes; for `longtail` the end of the tail.
        imbalance_test: whether the test split gets the profile too.
        max_train: use about this many of the official training images, all classes alike, before
            validation rows are taken and rows are left out; None uses all.
        split: `auto` or `given`; the official test images are the test.
        val_fraction: share of the official training images for validation.

    Returns:
        The data set.

    Raises:
        DataError: where the files cannot be had or read, or for a value that cannot be used.
    """
    chosen = imbalance(profile, imbalance_ratio, rare_classes, CLASS_NAMES)
    folder = _download() if root is None else Path(root).expanduser()
    files = {name: _find(folder, name) for name in OFFICIAL}
    x_train, y_train = _read_pair(files, "train")
    x_test, y_test = _read_pair(files, "t10k")
    source = "Fashion-MNIST" if root is None else str(folder)
    others = [path.name for name, path in files.items() if _md5(path) != OFFICIAL[name]]
    if others:  # an unpacked file, too, has another sum
        listed = ", ".join(others)
        logger.warning("%s: not the official Fashion-MNIST files by MD5 sum: %s", folder, listed)
    if x_train.shape[1:] != x_test.shape[1:]:
        raise DataError(
            f"{folder}: training images are {x_train.shape[1:]} and test images "
            f"{x_test.shape[1:]} pixels; both must be alike."
        )
    check_class_counts(y_test, CLASS_NAMES, 1, f"{source}, test labels")
    used = np.arange(len(y_train))
    if max_train is not None:
        if max_train < 2 * len(CLASS_NAMES):
            raise DataError(
                f"data.max_train={max_train} must be at least {2 * len(CLASS_NAMES)}, two of each "
                "class."
            )
        used = stratified_subset(y_train, max_train, len(CLASS_NAMES), seed)
    x_train, y_train = x_train[used], y_train[used]
    train, val = stratified_split(y_train, CLASS_NAMES, source, seed, val_fraction=val_fraction)
    train, val = chosen.thin_training(y_train, train, seed), chosen.thin(y_train, val, seed)
    test = np.arange(len(y_test))
    if imbalance_test:
        test = chosen.thin(y_test, test, seed)
    return Dataset(
        x_train=x_train[train, ..., np.newaxis],
        y_train=y_train[train],
        x_val=x_train[val, ..., np.newaxis],
        y_val=y_train[val],
        x_test=x_test[test, ..., np.newaxis],
        y_test=y_test[test],
        class_names=CLASS_NAMES,
        name="fashion_mnist",
        source=source,
        split="given",
        estimand="trainings",
    )


def _download() -> Path:
    """Fetches the four official files to Keras's cache, sums checked, and returns their folder.

    Where they are in it already, Keras is not imported.
    """
    home = Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser()
    folder = home / "datasets" / "fashion-mnist"
    there = [folder / name for name in OFFICIAL]
    if all(path.is_file() and _md5(path) == OFFICIAL[path.name] for path in there):
        return folder
    import keras

    for name, md5 in OFFICIAL.items():
        try:
            path = keras.utils.get_file(
                name, origin=ORIGIN + name, cache_subdir="datasets/fashion-mnist", file_hash=md5
            )
        except Exception as error:  # Keras raises bare Exception where a download fails.
            raise DataError(
                f"data.root is not set and {name} could not be downloaded ({error}). Put the four "
                "files of Fashion-MNIST in a folder and set data.root=FOLDER."
            ) from error
        folder = Path(path).parent
    return folder


def _read_pair(files: dict[str, Path], part: str) -> tuple[Pixels, NDArray[np.int64]]:
    """Images (n, H, W) and labels (n,) of the part `train` or `t10k`."""
    image_file = files[f"{part}-images-idx3-ubyte.gz"]
    label_file = files[f"{part}-labels-idx1-ubyte.gz"]
    images, labels = read_idx(image_file, rank=3), read_idx(label_file, rank=1)
    if len(images) != len(labels):
        raise DataError(
            f"{image_file} has {len(images)} images and {label_file.name} {len(labels)} labels; "
            "the two must be of one set."
        )
    if labels.max() >= len(CLASS_NAMES):
        raise DataError(
            f"{label_file}: has label {labels.max()}; Fashion-MNIST has 0 to "
            f"{len(CLASS_NAMES) - 1}."
        )
    return images, labels.astype(np.int64)


def _find(folder: Path, name: str) -> Path:
    """The file with or without `.gz`."""
    if not folder.is_dir():
        raise DataError(f"data.root={str(folder)!r} is not a folder; it must hold {name}.")
    for path in (folder / name, folder / name.removesuffix(".gz")):
        if path.is_file():
            return path
    raise DataError(
        f"data.root={str(folder)!r} has no {name}, with or without .gz; it must hold "
        f"{', '.join(OFFICIAL)}."
    )


def _md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
