"""The network for ``model=auto``: dense layers for vectors, convolutions for images."""

from collections.abc import Mapping
from typing import Any

from src.config.ranges import AUTO
from src.data.dataset import Dataset
from src.errors import UserError, override

IMAGE_RANK = 3
"""Dimensions of one image: height, width, channels."""
KEYS = {"mlp": ("hidden",), "cnn": ("filters", "dense")}
"""Sizes that each of the two networks has of its own."""
AUGMENTATION = "augmentation"


def chosen_model(model: Mapping[str, Any], dataset: Dataset) -> dict[str, Any]:
    """The ``model`` node that ``model=auto`` stands for with a data set; any other as it is.

    It is the node of ``model=mlp`` or ``model=cnn``, so that its runs are the same runs.

    Raises:
        UserError: where a size is given that the other network has.
    """
    if model["name"] != AUTO:
        return dict(model)
    name, other = ("cnn", "mlp") if is_image(dataset) else ("mlp", "cnn")
    for key in KEYS[other]:
        if model[key] != AUTO:
            right = " or ".join(f"model.{one}" for one in KEYS[name])
            raise UserError(
                f"{override(f'model.{key}', model[key])}: is of {override('model', other)}; "
                f"model=auto takes {name} for data {dataset.name}, whose size is {right}"
            )
    kept = {key: value for key, value in model.items() if key not in KEYS[other]}
    changes = kept.pop(AUGMENTATION, {}) if name == "mlp" else {}
    for key, value in changes.items():
        if value not in ("none", 0):
            raise UserError(
                f"model.{AUGMENTATION}.{key}={value}: is for images; data {dataset.name} has none"
            )
    return kept | {"name": name, "_target_": f"src.components.{name}"}


def is_image(dataset: Dataset) -> bool:
    """Whether the rows of a data set are images."""
    return len(dataset.input_shape) == IMAGE_RANK
