"""Custom Keras components for imbalanced classification: losses, metrics, layers and models.

The package needs Keras and nothing else of this project: copy the folder and use it. Losses,
metrics and layers run on all of Keras's backends, the models on TensorFlow. Importing the package
registers every component, so that models made of them load again:

    import src.components
    model = keras.saving.load_model("model.keras")

or, said out loud, `keras.saving.load_model("model.keras", custom_objects=custom_objects())`.
"""

from __future__ import annotations

from typing import Any

import keras

from .arguments import PACKAGE
from .asymmetric_loss import AsymmetricLoss
from .class_weights import ClassWeightedCrossentropy, DeferredReweighting, ReweightingSchedule
from .confusion import ConfusionMetric
from .cross_entropies import (
    GeneralizedCrossentropy,
    LabelSmoothingCrossentropy,
    PolyCrossentropy,
)
from .imbalance_losses import ClassBalancedFocalLoss, LDAMLoss, LogitAdjustedCrossentropy
from .layers import CosineDense, L2Normalize, l2_normalize
from .losses import (
    BinaryFocalLoss,
    SparseCategoricalFocalLoss,
    binary_focal_loss,
    sparse_categorical_focal_loss,
)
from .metrics import ImbalanceReport, MacroF1, batch_macro_f1
from .models import ClippedModel
from .networks.applications import ApplicationPreprocessing, pretrained
from .networks.augmentation import augment
from .networks.convolutional import cnn
from .networks.dense import cosine, mlp
from .networks.residual import PadChannels, resnet
from .soft_f1 import SoftMacroF1Loss

__all__ = [
    "ApplicationPreprocessing",
    "AsymmetricLoss",
    "BinaryFocalLoss",
    "ClassBalancedFocalLoss",
    "ClassWeightedCrossentropy",
    "ClippedModel",
    "ConfusionMetric",
    "CosineDense",
    "DeferredReweighting",
    "GeneralizedCrossentropy",
    "ImbalanceReport",
    "L2Normalize",
    "LDAMLoss",
    "LabelSmoothingCrossentropy",
    "LogitAdjustedCrossentropy",
    "MacroF1",
    "PadChannels",
    "PolyCrossentropy",
    "ReweightingSchedule",
    "SoftMacroF1Loss",
    "SparseCategoricalFocalLoss",
    "augment",
    "batch_macro_f1",
    "binary_focal_loss",
    "cnn",
    "cosine",
    "custom_objects",
    "l2_normalize",
    "mlp",
    "pretrained",
    "resnet",
    "sparse_categorical_focal_loss",
]


def custom_objects() -> dict[str, Any]:
    """Return every component that a saved model may name, for `load_model(custom_objects=...)`.

    Each stands under its registered name (`imbalance>MacroF1`), by which Keras saves registered
    objects, and under its plain one, by which it saves others.
    """
    public = {name: globals()[name] for name in __all__}
    registered = {keras.saving.get_registered_name(c): c for c in public.values()}
    return {
        name: component
        for saved, component in registered.items()
        if saved.startswith(f"{PACKAGE}>")
        for name in (saved, component.__name__)
    }
