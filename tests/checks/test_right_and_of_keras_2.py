"""Right components of unusual kinds are not accused, and habits of Keras 2 are one finding."""

import keras
import pytest
from keras import backend, ops

from src.checks import check_component
from src.checks.registry import DoesNotApply


def own(component):
    return keras.saving.register_keras_serializable("kit_tests")(component)


def dice_loss(y_true, y_pred):
    axes = [1, 2, 3]
    both = 2 * ops.sum(y_true * y_pred, axis=axes) + 1
    return 1 - both / (ops.sum(y_true, axis=axes) + ops.sum(y_pred, axis=axes) + 1)


def dice_and_crossentropy_loss(y_true, y_pred):
    pixels = keras.losses.binary_crossentropy(y_true, y_pred)
    return dice_loss(y_true, y_pred) + ops.mean(pixels, axis=[1, 2])


def dice_of_classes_loss(y_true, y_pred):
    both = 2 * ops.sum(y_true * y_pred, axis=[1, 2]) + 1
    return ops.mean(1 - both / (ops.sum(y_true + y_pred, axis=[1, 2]) + 1), axis=-1)


@own
class IoU(keras.metrics.Metric):
    """Of masks (batch, height, width, 1)."""

    def __init__(self, name="iou", **kwargs):
        super().__init__(name=name, **kwargs)
        self.both = self.add_weight(initializer="zeros", dtype="float64", name="both")
        self.any = self.add_weight(initializer="zeros", dtype="float64", name="any")

    def update_state(self, y_true, y_pred, sample_weight=None):
        truth, guess = ops.cast(y_true, "bool"), y_pred > 0.5
        weight = 1.0 if sample_weight is None else ops.reshape(sample_weight, [-1, 1, 1, 1])
        for total, found in (
            (self.both, ops.logical_and(truth, guess)),
            (self.any, ops.logical_or(truth, guess)),
        ):
            total.assign_add(ops.sum(ops.cast(found, "float64") * ops.cast(weight, "float64")))

    def result(self):
        return ops.cast(ops.divide_no_nan(self.both, self.any), "float32")


@own
class Sampling(keras.layers.Layer):
    """Of a variational autoencoder: random on purpose."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.seed_generator = keras.random.SeedGenerator(3)

    def call(self, inputs):
        mean, spread = inputs
        noise = keras.random.normal(ops.shape(mean), seed=self.seed_generator, dtype=mean.dtype)
        return mean + ops.exp(0.5 * spread) * noise


class Centres(keras.layers.Layer):
    """Knows a centre for each of three classes."""

    def build(self, shapes):
        self.centres = self.add_weight(shape=(3, shapes[0][-1]), name="centres")

    def squares(self, features, labels):
        centres = ops.take(self.centres, ops.cast(labels, "int32"), axis=0)
        return ops.square(features - centres)


@own
class CentreDistance(Centres):
    """Takes features and labels."""

    def call(self, inputs):
        return ops.sum(self.squares(*inputs), axis=-1, keepdims=True)

    def compute_output_shape(self, shapes):
        return shapes[0][0], 1


@own
class CentreLoss(Centres):
    """Hands the features on, and adds a loss by the labels."""

    def call(self, inputs):
        self.add_loss(ops.mean(self.squares(*inputs)))
        return inputs[0]

    def compute_output_shape(self, shapes):
        return shapes[0]


LAYERS = (CentreDistance, CentreLoss)
RIGHT = (dice_loss, dice_and_crossentropy_loss, dice_of_classes_loss, IoU, *LAYERS)


@pytest.mark.parametrize("component", RIGHT)
def test_a_right_component_of_an_unusual_kind_passes(component):
    report = check_component(component)
    assert [r.explanation() for r in report.results if r.status in ("fail", "warn")] == []


def test_a_layer_that_is_random_by_design_is_one_finding():
    report = check_component(Sampling)
    found = {r.name: r.status for r in report.results if r.status in ("fail", "warn")}
    assert found == {"inference_is_deterministic": "warn"}


class TwoTuple(keras.Model):
    def train_step(self, data):
        x, y = data
        return super().train_step((x, y))


def test_a_step_that_takes_no_sample_weights_is_told_so_and_checked_further():
    report = check_component(TwoTuple)
    assert report.failed == ("sample_weights_change_the_step",)
    assert "sample_weight" in report.result("sample_weights_change_the_step").mend
    assert report.counts["pass"] >= 10


def focal_of_keras_2(y_true, y_pred):
    p = backend.clip(y_pred, backend.epsilon(), 1 - backend.epsilon())
    return -backend.mean(backend.pow(1 - p, 2.0) * y_true * backend.log(p), axis=-1)


class AddsByPosition(keras.metrics.Metric):
    def __init__(self, name="hits", **kwargs):
        super().__init__(name=name, **kwargs)
        self.tp = self.add_weight("tp", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.tp.assign_add(1.0)

    def result(self):
        return self.tp


class BuildsByPosition(keras.layers.Layer):
    def build(self, input_shape):
        self.kernel = self.add_weight("kernel", shape=(input_shape[-1], 4))

    def call(self, inputs):
        return ops.matmul(inputs, self.kernel)


class ReducesByName(keras.losses.Loss):
    def __init__(self, **kwargs):
        super().__init__(reduction=keras.losses.Reduction.AUTO, **kwargs)


class ScalesByName(keras.Model):
    def train_step(self, data):
        x, y, _ = keras.utils.unpack_x_y_sample_weight(data)
        loss = self.optimizer.get_scaled_loss(self.compute_loss(x, y, self(x)))
        return {"loss": loss}


KERAS_2 = {
    focal_of_keras_2: "keras.ops.clip",
    AddsByPosition: 'name="tp"',
    BuildsByPosition: 'name="kernel"',
    ReducesByName: "sum_over_batch_size",
    ScalesByName: "optimizer.scale_loss",
}


@pytest.mark.parametrize(("component", "right"), KERAS_2.items())
def test_a_habit_of_keras_2_is_one_finding_that_says_what_to_write(component, right):
    report = check_component(component)
    (name,) = report.failed
    assert report.result(name).mend.startswith("This is Keras 2. Write ")
    assert right in report.result(name).mend
    assert report.counts["not-applicable"] == len(report.results) - 1


def test_a_finding_is_caught_by_nothing_that_catches_exceptions():
    with pytest.raises(DoesNotApply, match="nothing to see"):
        try:
            raise DoesNotApply("nothing to see")
        except Exception:
            pytest.fail("an `except Exception` of a component or of the kit took it")
