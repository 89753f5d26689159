"""What a ``loss`` node may hold: one dataclass for each family of keys, ranges beside the types."""

from dataclasses import dataclass, field
from typing import Annotated, Any

from omegaconf import MISSING

from src.config.ranges import (
    AboveZeroToOne,
    Alpha,
    AtLeastMinusOne,
    HalfOpenUnit,
    NonNegative,
    Positive,
    Target,
)

Node = Annotated[dict[str, Any], Target]


@dataclass
class LossConfig:
    """A loss: the knobs that every loss has, and ``fn``, which uses those it needs."""

    name: str = MISSING
    gamma: NonNegative = 0.0
    alpha: Alpha = None
    fn: Node = field(default_factory=dict)


@dataclass
class ClassBalancedFocalConfig(LossConfig):
    """Class-balanced focal loss: ``beta`` of the effective number of samples."""

    beta: HalfOpenUnit = 0.999


@dataclass
class LogitAdjustedConfig(LossConfig):
    """Logit-adjusted cross-entropy: ``tau`` scales the log priors."""

    tau: NonNegative = 1.0


@dataclass
class LDAMConfig(LossConfig):
    """Label-distribution-aware margin loss."""

    max_margin: Positive = 0.5
    scale: Positive = 1.0


@dataclass
class LDAMDeferredConfig(LDAMConfig):
    """The same, with class weights after a share of the epochs."""

    beta: HalfOpenUnit = 0.9999
    defer: HalfOpenUnit = 0.8


@dataclass
class PolyConfig(LossConfig):
    """Poly-1: what is added to the first coefficient of cross-entropy."""

    epsilon: AtLeastMinusOne = 2.0


@dataclass
class GeneralizedConfig(LossConfig):
    """Generalised cross-entropy: from cross-entropy towards mean absolute error."""

    q: AboveZeroToOne = 0.7


@dataclass
class SmoothingConfig(LossConfig):
    """Label smoothing: the share of a label that is spread over all classes."""

    smoothing: HalfOpenUnit = 0.1


@dataclass
class AsymmetricConfig(LossConfig):
    """Asymmetric loss: focusing on positives and negatives apart, and a probability margin."""

    gamma_pos: NonNegative = 0.0
    gamma_neg: NonNegative = 4.0
    margin: HalfOpenUnit = 0.05
