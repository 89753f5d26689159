"""Schemas of the estimators that give the scale: one for each choice of ``estimator``."""

from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta
from omegaconf import MISSING

from src.config.legal import Check
from src.config.ranges import Count, Positive
from src.errors import override

FOR_PIXELS = ("majority", "logistic_regression", "random_forest", "balanced_random_forest")
"""Estimators that make sense of images, which they see as one long row of pixels."""
NONE = "none"
"""The estimator of a run that trains a network."""
Trees = Annotated[int, Meta(ge=1, le=10_000)]


def _check_class_weight(value: object) -> None:
    if value not in (None, "balanced"):
        raise ValueError("must be null or balanced")


ClassWeight = Annotated[str | None, Check(_check_class_weight)]


@dataclass
class EstimatorConfig:
    """What every estimator has."""

    name: str = MISSING


@dataclass
class WeightedEstimatorConfig(EstimatorConfig):
    """An estimator whose classes can be weighted by inverse frequency."""

    class_weight: ClassWeight = None


@dataclass
class LogisticRegressionConfig(WeightedEstimatorConfig):
    """Multinomial logistic regression; ``C`` is the inverse of the L2 penalty."""

    C: Positive = 1.0


@dataclass
class RandomForestConfig(WeightedEstimatorConfig):
    """A forest of trees on bootstrap samples."""

    n_estimators: Trees = 100
    min_samples_leaf: Count = 1


@dataclass
class HistGradientBoostingConfig(WeightedEstimatorConfig):
    """Gradient boosting on binned features."""

    learning_rate: Positive = 0.1
    max_iter: Trees = 100


@dataclass
class BalancedRandomForestConfig(EstimatorConfig):
    """A forest whose trees each see as many rows of every class."""

    n_estimators: Trees = 100
    min_samples_leaf: Count = 1


@dataclass
class EasyEnsembleConfig(EstimatorConfig):
    """A bag of AdaBoost learners, each on an undersampled training split."""

    n_estimators: Trees = 10
    learning_rate: Positive = 1.0


@dataclass
class RUSBoostConfig(EstimatorConfig):
    """AdaBoost that undersamples before each of its rounds."""

    n_estimators: Trees = 50
    learning_rate: Positive = 1.0
    max_depth: Annotated[int, Meta(ge=1, le=100)] = 3


def not_for_pixels(name: str, data: str) -> str:
    """What is wrong with an estimator on images, by their names, and what would be right."""
    return (
        f"estimator={name}: asks one column after the other, and {override('data', data)} are "
        f"images, of which one pixel says little; right are {', '.join(FOR_PIXELS)}, as in "
        "references=image"
    )


ESTIMATORS: dict[str, type[EstimatorConfig]] = {
    NONE: EstimatorConfig,
    "majority": EstimatorConfig,
    "logistic_regression": LogisticRegressionConfig,
    "random_forest": RandomForestConfig,
    "hist_gradient_boosting": HistGradientBoostingConfig,
    "balanced_random_forest": BalancedRandomForestConfig,
    "easy_ensemble": EasyEnsembleConfig,
    "rus_boost": RUSBoostConfig,
}
"""The schema of each choice."""
