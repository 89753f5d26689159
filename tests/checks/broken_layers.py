"""Layers that are wrong, each in one way, and two that are right."""

import keras
import numpy as np
import tensorflow as tf


@keras.saving.register_keras_serializable("kit_tests")
class RightLayer(keras.layers.Layer):
    def __init__(self, factor=2.0, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor
        self.supports_masking = True

    def build(self, input_shape):
        self.scale = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="scale")

    def call(self, inputs):
        return inputs * self.scale * self.factor

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}


@keras.saving.register_keras_serializable("kit_tests")
class RightMean(keras.layers.Layer):
    """The mean over the steps that are not masked."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs, mask=None):
        if mask is None:
            return tf.reduce_mean(inputs, axis=1)
        weight = tf.cast(mask, inputs.dtype)[..., None]
        return tf.reduce_sum(inputs * weight, axis=1) / tf.reduce_sum(weight, axis=1)

    def compute_mask(self, inputs, mask=None):
        return None


class NoSuperInit(keras.layers.Layer):
    def __init__(self):
        self.factor = 2.0


class InInit(RightLayer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.scale = self.add_weight(shape=(6,), initializer="ones", name="scale")

    def build(self, input_shape):
        pass


class TensorFlowVariable(RightLayer):
    def build(self, input_shape):
        self.scale = tf.Variable(tf.ones(input_shape[-1]), name="scale")


class UnusedWeight(RightLayer):
    def build(self, input_shape):
        super().build(input_shape)
        self.bias = self.add_weight(shape=(input_shape[-1],), name="bias")


class WrongShape(RightLayer):
    def call(self, inputs):
        return tf.concat([inputs, super().call(inputs)], axis=-1)

    def compute_output_shape(self, input_shape):
        return input_shape


class AlwaysNoisy(RightLayer):
    def call(self, inputs):
        return super().call(inputs) + tf.random.normal(tf.shape(inputs), dtype=inputs.dtype)


class ByPythonFunction(RightLayer):
    def call(self, inputs):
        same = tf.py_function(lambda t: t, [inputs], inputs.dtype)
        same.set_shape(inputs.shape)
        return super().call(same)


class ForgetsItsFactor(RightLayer):
    def get_config(self):
        return keras.layers.Layer.get_config(self)


class IgnoresItsFactor(RightLayer):
    def call(self, inputs):
        return inputs * self.scale * 2.0


class NoConfig(keras.layers.Layer):
    """Keras makes a config by itself where all arguments are plain; an array is not."""

    def __init__(self, offsets, **kwargs):
        super().__init__(**kwargs)
        self.offsets = offsets

    def call(self, inputs):
        return inputs + tf.cast(tf.constant(self.offsets()), inputs.dtype)


def no_config():
    return NoConfig(lambda: np.arange(6.0))


class Unregistered(keras.layers.Layer):
    def call(self, inputs):
        return inputs * 2


def broken(name, base=RightLayer, **methods):
    """The right layer, or another, with other methods."""
    return type(name, (base,), methods)


BROKEN = {
    "can_be_called": NoSuperInit,
    "defines_call_not_dunder_call": broken("DunderCall", __call__=lambda self, inputs: inputs * 2),
    "creates_weights_in_build": InInit,
    "weights_are_made_by_add_weight": TensorFlowVariable,
    "every_weight_gets_a_gradient": UnusedWeight,
    "takes_any_batch_size": broken(
        "FixedBatch", call=lambda self, x: tf.reshape(RightLayer.call(self, x), (x.shape[0], 6))
    ),
    "compute_output_shape_is_right": WrongShape,
    "inference_is_deterministic": AlwaysNoisy,
    "no_nan_at_the_edge": broken(
        "DividesByItsNorm",
        call=lambda self, x: RightLayer.call(self, x) / tf.norm(x, axis=-1, keepdims=True),
    ),
    "masks_are_handed_on": broken(
        "MaskTooLong", RightMean, compute_mask=lambda self, inputs, mask=None: mask
    ),
    "follows_the_dtype_policy": broken(
        "Float32Constant", call=lambda self, x: RightLayer.call(self, x) + tf.constant(1.0)
    ),
    "runs_under_jit_compile": ByPythonFunction,
    "uses_every_argument": IgnoresItsFactor,
    "config_round_trips": ForgetsItsFactor,
    "saves_and_loads": no_config,
    "loads_without_custom_objects": Unregistered,
}
PADDING_COUNTS = broken(
    "PaddingCounts", RightMean, call=lambda self, x, mask=None: tf.reduce_mean(x, axis=1)
)
MORE = {
    PADDING_COUNTS: "masks_are_handed_on",
    broken(
        "RootOfZero", call=lambda self, x: RightLayer.call(self, x) + tf.sqrt(tf.square(x))
    ): "no_nan_at_the_edge",
    broken(
        "ScaledByTheBatch",
        call=lambda self, x: RightLayer.call(self, x) / tf.math.reduce_std(x, axis=0),
    ): "no_nan_at_the_edge",
}
RIGHT = (RightLayer, RightMean)
