"""Losses that are wrong, each in one way, and one that is right."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("kit_tests")
class RightLoss(keras.losses.Loss):
    def __init__(self, power=2.0, **kwargs):
        super().__init__(**kwargs)
        self.power = power

    def call(self, y_true, y_pred):
        return mean(tf.abs(y_true - y_pred) ** self.power)

    def get_config(self):
        return {**super().get_config(), "power": self.power}


def mean(values):
    return tf.reduce_mean(values, axis=-1)


def total(values):
    return tf.reduce_sum(values, axis=-1)


def right_focal_loss(y_true, y_pred):
    p = tf.clip_by_value(y_pred, keras.config.epsilon(), 1 - keras.config.epsilon())
    return total(y_true * (1 - p) ** 2 * -tf.math.log(p))


def divided_by_the_batch(y_true, y_pred):
    errors = tf.square(y_true - y_pred)
    return mean(errors / tf.reduce_max(errors))


def summed_over_the_batch(y_true, y_pred):
    return tf.reduce_sum(tf.square(y_true - y_pred))


def root_of_the_error(y_true, y_pred):
    return tf.sqrt(mean(tf.square(y_true - y_pred)))


class ReducesByItself(RightLoss):
    def __call__(self, y_true, y_pred, sample_weight=None):
        return tf.reduce_mean(super().__call__(y_true, y_pred, sample_weight))


class DropsWeights(RightLoss):
    def __call__(self, y_true, y_pred, sample_weight=None):
        return super().__call__(y_true, y_pred)


def gradient_stopped(y_true, y_pred):
    error = y_true - y_pred
    return mean(tf.stop_gradient(tf.abs(error)) * tf.abs(error))


def naive_softmax(y_true, y_pred):
    scores = tf.exp(y_pred)
    p = scores / tf.reduce_sum(scores, axis=-1, keepdims=True)
    return -total(y_true * tf.math.log(p))


def python_if(y_true, y_pred):
    error = tf.abs(y_true - y_pred)
    if tf.reduce_max(error) > 2:
        error = error * 2
    return mean(error)


def by_python(y_true, y_pred):
    same = tf.py_function(lambda t: t, [y_pred], y_pred.dtype)
    same.set_shape(y_pred.shape)
    return mean(tf.square(y_true - same))


class ForgetsItsPower(keras.losses.Loss):
    def __init__(self, power=2.0, **kwargs):
        super().__init__(**kwargs)
        self.power = power

    def call(self, y_true, y_pred):
        return mean(tf.abs(y_true - y_pred) ** self.power)


class IgnoresItsPower(RightLoss):
    def call(self, y_true, y_pred):
        power = 2.0
        return mean(tf.abs(y_true - y_pred) ** power)


def ignores_its_gamma(gamma=2.0, alpha=0.25):
    def loss(y_true, y_pred):
        return mean(alpha * tf.abs(y_true - y_pred) ** 2.0)

    return loss


BROKEN = {
    "takes_labels_and_predictions": lambda y_true, y_pred: (
        -tf.math.log(tf.gather(y_pred, y_true, axis=-1))
    ),
    "gives_one_value_a_sample": lambda y_true, y_pred: tf.square(y_true - y_pred),
    "right_predictions_cost_less": lambda y_true, y_pred: total(
        y_true * tf.math.log(y_pred + 1e-6)
    ),
    "same_value_every_time": lambda y_true, y_pred: (
        mean(tf.square(y_true - y_pred)) * (1 + tf.random.normal([]))
    ),
    "batch_does_not_change_a_sample": divided_by_the_batch,
    "leaves_reduction_to_keras": ReducesByItself,
    "weights_each_sample": DropsWeights,
    "has_a_gradient": lambda y_true, y_pred: mean(tf.abs(y_true - tf.round(y_pred))),
    "gradient_is_that_of_the_value": gradient_stopped,
    "finite_when_saturated": lambda y_true, y_pred: -total(y_true * tf.math.log(y_pred)),
    "works_in_float16": naive_softmax,
    "runs_in_a_graph": python_if,
    "runs_under_jit_compile": by_python,
    "uses_every_argument": IgnoresItsPower,
    "config_round_trips": ForgetsItsPower,
}
MORE = {
    summed_over_the_batch: "batch_does_not_change_a_sample",
    root_of_the_error: "finite_when_saturated",
    ignores_its_gamma: "uses_every_argument",
}
RIGHT = (RightLoss, right_focal_loss)
