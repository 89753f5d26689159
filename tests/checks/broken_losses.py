"""Losses that are wrong, each in one way, and one that is right."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("kit_tests")
class RightLoss(keras.losses.Loss):
    def __init__(self, power=2.0, **kwargs):
        super().__init__(**kwargs)
        self.power = power

    def call(self, y_true, y_pred):
        return tf.reduce_mean(tf.abs(y_true - y_pred) ** self.power, axis=-1)

    def get_config(self):
        return {**super().get_config(), "power": self.power}


def right_focal_loss(y_true, y_pred):
    p = tf.clip_by_value(y_pred, keras.config.epsilon(), 1 - keras.config.epsilon())
    return tf.reduce_sum(y_true * (1 - p) ** 2 * -tf.math.log(p), axis=-1)


def float_labels(y_true, y_pred):
    return -tf.math.log(tf.gather(y_pred, y_true, axis=-1, batch_dims=1))


def elementwise(y_true, y_pred):
    return tf.square(y_true - y_pred)


def minus_forgotten(y_true, y_pred):
    return tf.reduce_sum(y_true * tf.math.log(y_pred + 1e-6), axis=-1)


def noisy(y_true, y_pred):
    noise = tf.random.normal([])
    return tf.reduce_mean(tf.square(y_true - y_pred), axis=-1) * (1 + noise)


def divided_by_the_batch(y_true, y_pred):
    errors = tf.square(y_true - y_pred)
    return tf.reduce_mean(errors / tf.reduce_max(errors), axis=-1)


class ReducesByItself(RightLoss):
    def __call__(self, y_true, y_pred, sample_weight=None):
        return tf.reduce_mean(super().__call__(y_true, y_pred, sample_weight))


class DropsWeights(RightLoss):
    def __call__(self, y_true, y_pred, sample_weight=None):
        return super().__call__(y_true, y_pred)


def rounded(y_true, y_pred):
    return tf.reduce_mean(tf.abs(y_true - tf.round(y_pred)), axis=-1)


def gradient_stopped(y_true, y_pred):
    error = y_true - y_pred
    return tf.reduce_mean(tf.stop_gradient(tf.abs(error)) * tf.abs(error), axis=-1)


def log_of_zero(y_true, y_pred):
    return -tf.reduce_sum(y_true * tf.math.log(y_pred), axis=-1)


def naive_softmax(y_true, y_pred):
    scores = tf.exp(y_pred)
    p = scores / tf.reduce_sum(scores, axis=-1, keepdims=True)
    return -tf.reduce_sum(y_true * tf.math.log(p), axis=-1)


def python_if(y_true, y_pred):
    error = tf.abs(y_true - y_pred)
    if tf.reduce_max(error) > 2:
        error = error * 2
    return tf.reduce_mean(error, axis=-1)


def by_python(y_true, y_pred):
    same = tf.py_function(lambda t: t, [y_pred], y_pred.dtype)
    same.set_shape(y_pred.shape)
    return tf.reduce_mean(tf.square(y_true - same), axis=-1)


class ForgetsItsPower(keras.losses.Loss):
    def __init__(self, power=2.0, **kwargs):
        super().__init__(**kwargs)
        self.power = power

    def call(self, y_true, y_pred):
        return tf.reduce_mean(tf.abs(y_true - y_pred) ** self.power, axis=-1)


BROKEN = {
    "takes_labels_and_predictions": float_labels,
    "gives_one_value_a_sample": elementwise,
    "right_predictions_cost_less": minus_forgotten,
    "same_value_every_time": noisy,
    "batch_does_not_change_a_sample": divided_by_the_batch,
    "leaves_reduction_to_keras": ReducesByItself,
    "weights_each_sample": DropsWeights,
    "has_a_gradient": rounded,
    "gradient_is_that_of_the_value": gradient_stopped,
    "finite_when_saturated": log_of_zero,
    "works_in_float16": naive_softmax,
    "runs_in_a_graph": python_if,
    "runs_under_jit_compile": by_python,
    "config_round_trips": ForgetsItsPower,
}
RIGHT = (RightLoss, right_focal_loss)
