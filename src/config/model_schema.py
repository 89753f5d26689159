"""Schemas of the models: one field for each parameter of the function that builds the network."""

from dataclasses import dataclass, field
from typing import Annotated, Any

from omegaconf import MISSING

from src.config.ranges import (
    AutoDepth,
    AutoHalfOpenUnit,
    AutoSize,
    AutoWidth,
    AutoWidths,
    HalfOpenUnit,
    NonNegative,
    Options,
    Positive,
    Width,
    one_of,
)


@dataclass
class ModelConfig:
    """What every model of this project takes; ``auto`` is filled in from the data."""

    name: str = MISSING
    _target_: str = MISSING
    input_shape: Any = "auto"
    num_classes: Any = "auto"
    dropout: AutoHalfOpenUnit = 0.0
    clip_norm: Positive | None = None


@dataclass
class MLPConfig(ModelConfig):
    """Dense layers with ReLU."""

    hidden: AutoWidths = field(default_factory=lambda: [32])


@dataclass
class CosineConfig(MLPConfig):
    """Dense layers, then a classifier on the cosine between features and class vectors."""

    scale: Positive | None = 10.0


@dataclass
class AugmentationConfig:
    """How images are changed at random in training; as they come, nothing is."""

    flip: Annotated[str, one_of("none", "horizontal", "vertical", "horizontal_and_vertical")] = (
        "none"
    )
    shift: HalfOpenUnit = 0.0
    contrast: HalfOpenUnit = 0.0


@dataclass
class ImageModelConfig(ModelConfig):
    """What every model of images takes."""

    augmentation: AugmentationConfig = field(default_factory=AugmentationConfig)


@dataclass
class CNNConfig(ImageModelConfig):
    """Convolutions for images."""

    filters: list[Width] = field(default_factory=lambda: [16, 32])
    dense: Width = 64


@dataclass
class ResNetConfig(ImageModelConfig):
    """Residual blocks for small images."""

    depth: AutoDepth = 20
    filters: Width = 16
    l2: NonNegative = 0.0


@dataclass
class PretrainedConfig(ImageModelConfig):
    """A network of ``keras.applications``.

    Attributes:
        weights: ``imagenet``, a file, or none.
        weights_sha256: of the file; ``auto`` takes the sum that it has today.
        resize: height and width of the images inside the model.
    """

    backbone: str = "MobileNetV2"
    options: Options = None
    weights: str | None = "imagenet"
    weights_sha256: str | None = "auto"
    frozen: bool = True
    resize: AutoSize = "auto"


@dataclass
class AutoModelConfig(MLPConfig):
    """An MLP or a CNN, by the data: ``hidden`` is for vectors, the others for images."""

    filters: AutoWidths = "auto"
    dense: AutoWidth = "auto"
    augmentation: AugmentationConfig = field(default_factory=AugmentationConfig)
