"""The project's own components pass (that batch_macro_f1 does not, the notebook's tests show)."""

import keras
import pytest

from src import components
from src.checks import check_component, parametrize_with_checks

pytestmark = pytest.mark.slow

COUNTS = {"class_counts": [240, 45, 15]}
LOSSES = {
    "AsymmetricLoss": {},
    "BinaryFocalLoss": {},
    "ClassBalancedFocalLoss": COUNTS,
    "ClassWeightedCrossentropy": COUNTS,
    "DeferredReweighting": COUNTS | {"loss": components.LDAMLoss(**COUNTS, scale=1.0)},
    "GeneralizedCrossentropy": {},
    "LDAMLoss": COUNTS,
    "LabelSmoothingCrossentropy": {},
    "LogitAdjustedCrossentropy": COUNTS,
    "PolyCrossentropy": {},
    "SparseCategoricalFocalLoss": {},
    "binary_focal_loss": {},
    "sparse_categorical_focal_loss": {},
}
OTHERS = {
    "MacroF1": {"num_classes": 3},
    "ImbalanceReport": {"num_classes": 3},
    "L2Normalize": {"scale": 2.0},
    "CosineDense": {"units": 4},
    "PadChannels": {"channels": 2},
    "ApplicationPreprocessing": {"backbone": "DenseNet121"},
}
OF_IMAGES = {"ApplicationPreprocessing": (6, 6, 3)}
# One that clips and is regularised, one with layers of the project's own whose training is random.
NETWORKS = {
    "mlp": lambda: components.mlp((6,), 3, hidden=(5,), l2=0.01, clip_norm=0.5),
    "cosine": lambda: components.cosine((6,), 3, hidden=(5,), dropout=0.3),
}


@pytest.mark.parametrize(("name", "arguments"), [*LOSSES.items(), *OTHERS.items()])
def test_a_component_passes_every_check(name, arguments):
    shape = OF_IMAGES.get(name)
    report = check_component(getattr(components, name), arguments=arguments, input_shape=shape)
    assert report.failed == ()
    assert {r.name for r in report.results if r.status == "warn"} == set()


@pytest.mark.parametrize("name", NETWORKS)
def test_a_clipped_model_passes_every_check(name):
    report = check_component(NETWORKS[name])
    assert report.component == "ClippedModel"
    assert report.failed == ()


def test_every_public_loss_metric_and_layer_is_among_them():
    bases = (keras.losses.Loss, keras.metrics.Metric, keras.layers.Layer)
    classes = {
        name
        for name in components.__all__
        if isinstance(value := getattr(components, name), type) and issubclass(value, bases)
    }
    assert classes - {"ConfusionMetric", "ClippedModel"} <= {*LOSSES, *OTHERS, "SoftMacroF1Loss"}


def test_a_loss_of_whole_batches_passes_but_for_what_says_so():
    report = check_component(components.SoftMacroF1Loss)
    assert report.failed == ("batch_does_not_change_a_sample",)


@parametrize_with_checks(components.BinaryFocalLoss)
def test_from_pytest(check):
    check()
