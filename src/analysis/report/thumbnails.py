"""Test images at report time: loaded again as their run's record has it, small, inside the page."""

import base64
import io
from collections.abc import Mapping
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray
from PIL import Image

from src.analysis.figures.evidence import local_folder
from src.analysis.runs import FinishedRun
from src.data.dataset import Dataset, decoded
from src.errors import UserError
from src.runs.dataset_cache import cached_dataset
from src.runs.recorded import record
from src.runs.recorded.recorded_targets import check_targets

LARGEST_SIDE = 64
"""Pixels of a thumbnail."""
GREY, COLOUR = 1, 3
"""Channels that are shown; of any others the first alone."""


class NotShownError(UserError):
    """Why the images of a run are not shown."""


def test_images(run: FinishedRun) -> Dataset:
    """The data of a run, loaded once more; nothing is trained, and TensorFlow is not imported.

    Args:
        run: its record names the source and has the fingerprint that the data must have.

    Raises:
        NotShownError: where the record wants no pictures, cannot be read or may not be built from,
            where the files are gone, or where they are not those that the run was trained on.
    """
    config = _recorded(run)
    wanted = config.get("report")
    if isinstance(wanted, dict) and not wanted.get("images", True):
        raise NotShownError("the run's own report.images=false keeps its images where they are")
    try:
        check_targets({"data": config["data"]})
        dataset = cached_dataset(config["data"])
    except Exception as error:  # a source of somebody's own may fail in any way
        raise NotShownError(f"the data cannot be loaded again: {error}".rstrip(".")) from error
    if dataset.fingerprint != run.fingerprint:
        raise NotShownError("the data have changed since: their fingerprint is another one")
    return dataset


def thumbnail(dataset: Dataset, row: int) -> str:
    """A test image as a data URI with a PNG of at most ``LARGEST_SIDE`` pixels a side.

    Args:
        dataset: of images.
        row: of the test split.
    """
    pixels = np.rint(255 * np.clip(decoded(dataset.x_test[row : row + 1])[0], 0, 1))
    image = Image.fromarray(_channels(pixels.astype(np.uint8)))
    image.thumbnail((LARGEST_SIDE, LARGEST_SIDE))
    stream = io.BytesIO()
    image.save(stream, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(stream.getvalue()).decode()}"


def name_of(dataset: Dataset, row: int) -> str:
    """What a test image is called: its file's name where there is one, else its number."""
    ids = getattr(dataset, "test_ids", None)
    return str(ids[row]) if ids else f"test image {row}"


def _channels(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Grey as (H, W), colour as (H, W, 3)."""
    return pixels if pixels.shape[-1] == COLOUR else pixels[..., 0]


def _recorded(run: FinishedRun) -> Mapping[str, Any]:
    """The config of a run's record."""
    folder = local_folder(run.artifacts)
    if folder is None:
        raise NotShownError("the run's record is not on this disk")
    try:
        config = yaml.safe_load((folder / record.CONFIG).read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise NotShownError(f"{record.CONFIG} of the run cannot be read") from error
    if not isinstance(config, dict) or not isinstance(config.get("data"), dict):
        raise NotShownError(f"{record.CONFIG} of the run has no data")
    return config
