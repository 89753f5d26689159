"""A model and a budget that suit the data's size, for the values that a config leaves ``auto``.

The rule looks at what does not change with the seed: training rows n, columns d as the file has
them, and classes K. So all runs of a comparison are of one size. `docs/own-data.md` has the rule as
a table; it is a rule of thumb, and no search.
"""

import hashlib
import math
import os
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from src.config.ranges import AUTO
from src.data.dataset import Dataset
from src.engine.model_choice import chosen_model, is_image
from src.errors import UserError

UPDATES, UPDATES_OF_IMAGES = 6000, 2000
EPOCHS, EPOCHS_OF_IMAGES = (10, 60), (5, 30)
"""The fewest and the most."""
SMALLEST_BATCH, LARGEST_BATCH = 16, 1024
MOST_IMAGE_NUMBERS = 2**20
"""Pixels times channels in a batch of images: more rows would fill memory, layer by layer."""
ROWS_A_BATCH = 100
"""A batch is at most this part of the training rows."""
WIDTHS = ((1_000, 32), (50_000, 64))
"""Width of the layers up to so many training rows."""
WIDEST_BY_ROWS, WIDEST_BY_CLASSES = 128, 512
LAST_SIDE, CONVOLUTIONS = 7, (2, 5)
"""Pixels that convolutions leave of a side, about, and how many of them there are."""
LARGE_SIDE, CHANNELS, CHANNELS_OF_LARGE, MOST_CHANNELS = 64, 16, 8, 128
NARROWEST_DENSE = 64
DEPTH, DEPTH_OF_MANY, MANY_IMAGES = 20, 32, 50_000
LEAST_SIDES = {"Xception": 71, "InceptionV3": 75, "InceptionResNetV2": 75}
LEAST_SIDE, LEAST_SIDE_TRAINED = 32, 96
"""Pixels that all other networks of ``keras.applications`` take at least, and the least for which
weights trained on ImageNet are published, those of MobileNetV2."""
IMAGENET = "imagenet"
"""The value of ``model.weights`` that stands for a download by Keras."""
ROWS_A_COLUMN = 10
DROPOUT = 0.2
THREADS_PAY = 32_768
"""Numbers in a batch from which several threads take less time than one; a smaller batch gets one
in every launcher, so that a small model's bits do not depend on the number."""
OWN_CORES = "OMP_NUM_THREADS"
"""Variable with a process's share of the cores: a sweep sets it for its workers, and users may."""


def sized(config: Mapping[str, Any], dataset: Dataset) -> dict[str, Any]:
    """A copy of a resolved config with every size that is ``auto`` replaced by a number.

    A run's identity may be taken from it.
    """
    model, training = chosen_model(config["model"], dataset), dict(config["training"])
    rows, images = dataset.planned_rows or len(dataset.y_train), is_image(dataset)
    shape, weights = dataset.input_shape, model.get("weights")
    _resolve(model, "weights_sha256", lambda: sha256_of_weights(weights))
    if images:
        _resolve(model, "resize", lambda: resize(shape, model["backbone"], weights))
        shape = (*(model.get("resize") or shape[:2]), *shape[2:])
    _resolve(training, "batch_size", lambda: batch_size(rows, shape if images else ()))
    _resolve(training, "epochs", lambda: epochs(rows, training["batch_size"], images=images))
    _resolve(model, "hidden", lambda: hidden(rows, dataset.num_classes))
    _resolve(model, "filters", lambda: filters(max(dataset.input_shape[:2])))
    _resolve(model, "dense", lambda: max(hidden(rows, dataset.num_classes)[0], NARROWEST_DENSE))
    _resolve(model, "depth", lambda: DEPTH if rows < MANY_IMAGES else DEPTH_OF_MANY)
    _resolve(model, "dropout", lambda: dropout(rows, columns_of(dataset)))
    numbers = math.prod(shape) if images else columns_of(dataset)
    _resolve(training, "threads", lambda: threads(training["batch_size"] * numbers))
    return {**config, "model": model, "training": training}


def batch_size(rows: int, image: Sequence[int] = ()) -> int:
    """Rows in a batch, for so many training rows, and for images of a shape."""
    wanted = max(rows // ROWS_A_BATCH, 1)
    if image:
        wanted = min(wanted, max(MOST_IMAGE_NUMBERS // math.prod(image), 1))
    return int(np.clip(_power_of_two_up_to(wanted), SMALLEST_BATCH, LARGEST_BATCH))


def epochs(rows: int, batch: int, *, images: bool = False) -> int:
    """Epochs, for so many training rows, or images, in batches of this size."""
    steps = -(-rows // batch)
    updates, limits = (UPDATES_OF_IMAGES, EPOCHS_OF_IMAGES) if images else (UPDATES, EPOCHS)
    return int(np.clip(round(updates / steps), *limits))


def hidden(rows: int, classes: int) -> list[int]:
    """Widths of the hidden layers, for so many training rows and classes."""
    by_rows = next((width for limit, width in WIDTHS if rows <= limit), WIDEST_BY_ROWS)
    by_classes = min(_power_of_two_up_to(2 * classes - 1), WIDEST_BY_CLASSES)
    return [max(by_rows, by_classes)] * 2


def filters(side: int) -> list[int]:
    """Channels of the convolutions, for images whose longer side has so many pixels."""
    count = int(np.clip(round(math.log2(max(side, 1) / LAST_SIDE)), *CONVOLUTIONS))
    first = CHANNELS if side <= LARGE_SIDE else CHANNELS_OF_LARGE
    return [min(first << place, MOST_CHANNELS) for place in range(count)]


def resize(shape: Sequence[int], backbone: str, weights: str | None) -> list[int] | None:
    """Height and width of images inside a pretrained network; None where they stay as they are."""
    random = LEAST_SIDES.get(backbone, LEAST_SIDE)
    least, shorter = LEAST_SIDE_TRAINED if weights else random, min(shape[:2])
    return None if shorter >= least else [-(-side * least // shorter) for side in shape[:2]]


def sha256_of_weights(weights: str | None) -> str | None:
    """SHA-256 of the file that ``model.weights`` names, 64 hex digits; None where it names none.

    Raises:
        UserError: where there is no such file.
    """
    if weights in (None, IMAGENET):
        return None
    file = Path(str(weights)).expanduser()
    if not file.is_file():
        raise UserError(
            f"model.weights={weights}: no such file; right is imagenet, null, or a file with "
            "weights of the network without its top"
        )
    status = file.stat()
    return _sha256(file.absolute(), status.st_mtime_ns, status.st_size)


@lru_cache
def _sha256(file: Path, changed_ns: int, size: int) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def dropout(rows: int, columns: int) -> float:
    """Share of the units that is left out in training."""
    return DROPOUT if rows < ROWS_A_COLUMN * columns else 0.0


def threads(numbers: int) -> int:
    """Threads in one operation, for so many numbers in a batch."""
    return own_cores() if numbers >= THREADS_PAY else 1


def own_cores() -> int:
    """Cores that this process may keep busy."""
    from joblib import cpu_count  # which sees what a container or a job of Slurm is given

    share = os.environ.get(OWN_CORES, "")
    return int(share) if share.isdecimal() and int(share) else int(cpu_count())


def columns_of(dataset: Dataset) -> int:
    """Columns as the file has them; of a data set that is no table, the numbers in a row.

    The features that they become may differ between seeds: a category that no training row has
    becomes none.
    """
    kinds = [getattr(dataset.preprocessing, kind, None) for kind in ("numeric", "categorical")]
    known = [kind for kind in kinds if isinstance(kind, tuple)]
    return sum(map(len, known)) if known else int(np.prod(dataset.input_shape))


def _resolve(section: dict[str, Any], key: str, value: Callable[[], Any]) -> None:
    if section.get(key) == AUTO:
        section[key] = value()


def _power_of_two_up_to(number: int) -> int:
    return 1 << (number.bit_length() - 1)
