"""Test images at report time: loaded again as their run's record has it, small, inside the page."""

import base64
import io
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray
from PIL import Image

from src.analysis.figures.evidence import local_folder
from src.analysis.runs import FinishedRun
from src.data.dataset import Dataset, decoded
from src.runs.dataset_cache import cached_dataset
from src.runs.recorded import record
from src.runs.recorded.recorded_targets import check_targets

LARGEST_SIDE = 64
"""Pixels of a thumbnail."""
COLOUR = 3
"""Channels of a colour image; of any others the first is shown, in grey."""


def load_images(run: FinishedRun, y_test: NDArray[np.int64]) -> tuple[Dataset | None, str]:
    """The data of a run, loaded once more, or why its images are not shown.

    Nothing is trained, and TensorFlow is not imported.

    Args:
        run: its record names the source and has the fingerprint that the data must have.
        y_test: classes of the test images that its predictions are of, shape (n,).
    """
    try:
        folder = local_folder(run.artifacts) or Path()
        config = yaml.safe_load((folder / record.CONFIG).read_text(encoding="utf-8"))
        if not (config.get("report") or {}).get("images", True):
            return None, "the run's own report.images=false keeps its images where they are"
        check_targets({"data": config["data"]})
        dataset = cached_dataset(config["data"])
    except Exception as error:  # a source of somebody's own may fail in any way
        return None, f"the data cannot be loaded again: {error}".rstrip(".")
    if dataset.fingerprint != run.fingerprint:
        return None, "the data have changed since: their fingerprint is another one"
    if not np.array_equal(dataset.y_test, y_test):
        return None, "the run's predictions are of other test images"
    return dataset, ""


def thumbnail(dataset: Dataset, row: int) -> str:
    """A test image as a data URI with a PNG of at most ``LARGEST_SIDE`` pixels a side."""
    values = np.rint(255 * np.clip(decoded(dataset.x_test[row : row + 1])[0], 0, 1))
    pixels = values.astype(np.uint8)
    image = Image.fromarray(pixels if pixels.shape[-1] == COLOUR else pixels[..., 0])
    image.thumbnail((LARGEST_SIDE, LARGEST_SIDE))
    stream = io.BytesIO()
    image.save(stream, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(stream.getvalue()).decode()}"
