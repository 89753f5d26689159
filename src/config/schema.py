"""What a config may hold: one dataclass a section, types for OmegaConf, ranges beside them.

OmegaConf takes the plain types from here, so a wrong key or type fails while the config is
composed; :func:`src.config.check.check` then holds the values against the ranges.
"""

from dataclasses import dataclass, field
from typing import Annotated, Any

from omegaconf import MISSING

from src.config.loss_schema import Node
from src.config.ranges import (
    AutoCount,
    AutoProcessors,
    Count,
    Positive,
    Processors,
    SamplingStrategy,
    Seed,
    one_of,
)


@dataclass
class MetricConfig:
    """The metrics measured in training and validation, each a node with a ``_target_``."""

    name: str = MISSING
    metrics: dict[str, Any] = field(default_factory=dict)


@dataclass
class SamplingConfig:
    """What is done to the training rows: nothing."""

    name: str = MISSING


@dataclass
class BalancedBatchesConfig(SamplingConfig):
    """Each batch draws its rows anew."""

    batches: Annotated[str, one_of("balanced")] = "balanced"


@dataclass
class SamplerConfig(SamplingConfig):
    """A sampler of imbalanced-learn, which makes other training rows of them."""

    _target_: str = MISSING
    sampling_strategy: SamplingStrategy = "auto"


@dataclass
class SMOTEConfig(SamplerConfig):
    """Rows between neighbours; ``auto`` stands for the table's columns of categories."""

    k_neighbors: Count = 5
    categorical_features: Any = "auto"


@dataclass
class TrainingConfig:
    """How a model is trained; the same for every loss of a comparison."""

    seed: Seed = "${seed}"  # type: ignore[assignment]
    epochs: AutoCount = 20
    batch_size: AutoCount = 64
    learning_rate: Positive = 1e-3
    optimizer: Node = field(
        default_factory=lambda: {
            "_target_": "keras.optimizers.Adam",
            "learning_rate": "${training.learning_rate}",
        }
    )
    monitor: str = "val_f1_macro"
    mode: Annotated[str, one_of("max", "min")] = "max"
    patience: Count | None = None
    precision: Annotated[str, one_of("float32", "mixed_float16", "mixed_bfloat16")] = "float32"
    jit_compile: bool = False
    steps_per_execution: Count = 1
    deterministic: bool = True
    threads: AutoProcessors = "auto"
    onednn: bool = True
    distribute: Annotated[str, one_of("none", "mirrored")] = "none"
    replicas: Processors | None = None
    progress: bool = True
    tensorboard: bool = False


@dataclass
class TrackingConfig:
    """Where runs are recorded, and how much of each.

    Attributes:
        detail: ``full``, or ``scores``: parameters, tags and final metrics alone, for sweeps of
            thousands of runs. Such a run has no curves, no predictions and no model, in its folder
            or in the store; it can be trained again from its config.
    """

    enabled: bool = True
    root: str = "mlruns"
    uri: str | None = None
    experiment: str = "imbalance-lab"
    log_model: bool = True
    plots: bool = True
    detail: Annotated[str, one_of("full", "scores")] = "full"


@dataclass
class TuningConfig:
    """What each loss of a sweep is tuned over; it makes no difference to a run.

    Attributes:
        name: of the choice.
        keys: of ``loss``, ``model`` or ``training``; the sweep varies each of them, and each loss
            is compared at the values that validation chooses.
        chosen_on: seeds that settings were chosen on before: the sweep may have none of them.
    """

    name: str = "none"
    keys: list[str] = field(default_factory=list)
    chosen_on: list[Seed] = field(default_factory=list)


@dataclass
class ReferencesConfig:
    """What a sweep fits beside its losses, for scale; it makes no difference to a run.

    Attributes:
        name: of the choice.
        rows: each the overrides of an estimator, one of which may list the values to tune it over.
    """

    name: str = "none"
    rows: list[str] = field(default_factory=list)


@dataclass
class ReportConfig:
    """What a sweep's report shows; small test images make no difference to a run."""

    images: bool = True


@dataclass
class Config:
    """One run."""

    loss: Any = MISSING
    metric: Any = MISSING
    model: Any = MISSING
    data: Any = MISSING
    sampling: Any = MISSING
    estimator: Any = MISSING
    training: TrainingConfig = field(default_factory=TrainingConfig)
    tracking: TrackingConfig = field(default_factory=TrackingConfig)
    tuning: TuningConfig = field(default_factory=TuningConfig)
    references: ReferencesConfig = field(default_factory=ReferencesConfig)
    report: ReportConfig = field(default_factory=ReportConfig)
    seed: Any = 0
    force: bool = False
    resume: bool = True
    compare: Any = "auto"
