"""Schemas of the sources of images: one field for each parameter of the loading function."""

import re
from dataclasses import dataclass, field
from typing import Annotated, Any

from omegaconf import MISSING

from src.config.data_schema import DataConfig, Profile, SplitConfig
from src.config.legal import Check
from src.config.ranges import AUTO, AboveZeroToOne, AtLeastOne, Count, Fraction, filled, one_of

LARGEST_SIDE = 2048
"""Of a picture, in pixels."""


def _check_pattern(value: Any) -> None:
    try:
        groups = re.compile(value or "()").groups
    except (re.error, TypeError) as error:
        raise ValueError(f"must be a regular expression: {error}") from error
    if groups != 1:
        raise ValueError(
            "must be a regular expression with one pair of brackets, around what names the group "
            "in a picture's path, such as '(patient[0-9]+)_'"
        )


def _check_size(value: Any) -> None:
    sides = value if isinstance(value, list) else []
    whole = all(type(side) is int and 1 <= side <= LARGEST_SIDE for side in sides)
    if value != AUTO and (len(sides) != 2 or not whole):
        raise ValueError(
            f"must be auto, or height and width, each from 1 to {LARGEST_SIDE}, such as [64,64]"
        )


@dataclass
class FashionMNISTConfig(DataConfig):
    """Fashion-MNIST, downloaded by Keras or read from a folder."""

    seeds_per_split: Count = 2
    split: Annotated[
        str, one_of("auto", "given", why="the official test images are the test split")
    ] = "auto"
    root: str | None = None
    profile: Profile = "longtail"
    imbalance_ratio: AtLeastOne = 100.0
    rare_classes: list[Any] = field(default_factory=list)
    imbalance_test: bool = False
    max_train: Count | None = None


@dataclass
class ImagesConfig(SplitConfig, DataConfig):
    """Pictures of one's own: how they are split, made imbalanced and kept."""

    seeds_per_split: Count = 2
    test_fraction: Fraction = 0.2
    duplicates: Annotated[str, one_of("group", "drop", "keep")] = "group"
    profile: Profile = "none"
    imbalance_ratio: AtLeastOne = 100.0
    rare_classes: list[Any] = field(default_factory=list)
    imbalance_test: bool = False
    memory_share: AboveZeroToOne = 0.25
    cache: str | None = None


@dataclass
class ImageFolderConfig(ImagesConfig):
    """A folder of pictures."""

    root: Annotated[str, filled("name a folder of pictures, with a folder for each class")] = (
        MISSING
    )
    split: Annotated[str, one_of("auto", "random", "given", "group", "kfold")] = "auto"
    group: Annotated[str | None, Check(_check_pattern)] = None
    image_size: Annotated[Any, Check(_check_size)] = "auto"
    color: Annotated[str, one_of("auto", "grayscale", "rgb")] = "auto"
    damaged: Annotated[str, one_of("refuse", "skip")] = "refuse"


@dataclass
class ImageArraysConfig(ImagesConfig):
    """Pictures in an NPZ file."""

    path: Annotated[
        str, filled("name a file: NPZ, with the arrays x and y, or x_train, y_train, ...")
    ] = MISSING
    split: Annotated[str, one_of("auto", "random", "given", "kfold")] = "auto"
