"""Metrics that are wrong, each in one way, and one that is right."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("kit_tests")
class RightMetric(keras.metrics.Metric):
    """Accuracy of integer labels, its counts in float64."""

    def __init__(self, num_classes=3, name="right", **kwargs):
        super().__init__(name=name, **kwargs)
        self.num_classes = num_classes
        self.hits = self.add_weight((), "zeros", dtype="float64", name="hits")
        self.count = self.add_weight((), "zeros", dtype="float64", name="count")

    def right(self, y_true, y_pred):
        labels = tf.cast(y_true, tf.int32)
        tf.ensure_shape(y_pred, (None, self.num_classes))
        return tf.cast(labels == tf.argmax(y_pred, -1, output_type=tf.int32), tf.float64)

    def update_state(self, y_true, y_pred, sample_weight=None):
        right = self.right(y_true, y_pred)
        weight = tf.ones_like(right)
        if sample_weight is not None:
            weight = tf.cast(sample_weight, tf.float64)
        self.hits.assign_add(tf.reduce_sum(right * weight))
        self.count.assign_add(tf.reduce_sum(weight))

    def result(self):
        return tf.cast(tf.math.divide_no_nan(self.hits.value, self.count.value), self.dtype)

    def get_config(self):
        return {**super().get_config(), "num_classes": self.num_classes}


class AlwaysHalf(RightMetric):
    def update_state(self, y_true, y_pred, sample_weight=None):
        self.right(y_true, y_pred)
        self.hits.assign(1)
        self.count.assign(2)


class InPython(RightMetric):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.found = []

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.found.append(float(tf.reduce_mean(self.right(y_true, y_pred))))
        super().update_state(y_true, y_pred, sample_weight)


class InTensorFlowVariable(RightMetric):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.steps = tf.Variable(0.0)


class Shared(RightMetric):
    _hits = None

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        if Shared._hits is None:
            Shared._hits = self.hits, self.count
        self.hits, self.count = Shared._hits


class MeanOfBatches(RightMetric):
    """Macro recall of each batch, averaged."""

    def update_state(self, y_true, y_pred, sample_weight=None):
        right = self.right(y_true, y_pred)
        hot = tf.one_hot(tf.cast(y_true, tf.int32), self.num_classes, dtype=tf.float64)
        seen = tf.reduce_sum(hot, 0)
        recall = tf.math.divide_no_nan(tf.reduce_sum(hot * right[:, None], 0), seen)
        self.hits.assign_add(tf.reduce_mean(recall))
        self.count.assign_add(1)


class LastBatch(RightMetric):
    def update_state(self, y_true, y_pred, sample_weight=None):
        self.reset_state()
        super().update_state(y_true, y_pred, sample_weight)


class IgnoresWeights(RightMetric):
    def update_state(self, y_true, y_pred, sample_weight=None):
        super().update_state(y_true, y_pred)


class TakesNoWeights(RightMetric):
    def update_state(self, y_true, y_pred):
        super().update_state(y_true, y_pred)


class Float32Counts(RightMetric):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.seen = self.add_weight((), "zeros", dtype="float32", name="seen")

    def update_state(self, y_true, y_pred, sample_weight=None):
        super().update_state(y_true, y_pred, sample_weight)
        count = tf.cast(tf.size(y_true), tf.float32)
        self.seen.assign_add(count if sample_weight is None else tf.reduce_sum(sample_weight))


class IntegersOnly(RightMetric):
    def right(self, y_true, y_pred):
        return tf.cast(y_true == tf.argmax(y_pred, -1, output_type=y_true.dtype), tf.float64)


class Float32Only(RightMetric):
    def right(self, y_true, y_pred):
        hot = tf.one_hot(tf.cast(y_true, tf.int32), self.num_classes)
        return tf.cast(tf.reduce_sum(hot * y_pred, -1) >= tf.reduce_max(y_pred, -1), tf.float64)


class ByNumpy(RightMetric):
    def right(self, y_true, y_pred):
        labels = tf.cast(y_true, tf.int64).numpy()
        return tf.constant(labels == y_pred.numpy().argmax(-1), tf.float64)


class ByPythonFunction(RightMetric):
    def right(self, y_true, y_pred):
        right = super().right(y_true, y_pred)
        return tf.ensure_shape(tf.py_function(lambda t: t, [right], tf.float64), (None,))


class IgnoresItsThreshold(RightMetric):
    def __init__(self, threshold=0.5, **kwargs):
        super().__init__(**kwargs)
        self.threshold = float(threshold)

    def get_config(self):
        return {**super().get_config(), "threshold": self.threshold}


def harmonic(self):
    share = self.hits.value / self.count.value
    return tf.cast(2 * share * share / (share + share), self.dtype)


def batch_f1_score(y_true, y_pred):
    right = tf.cast(y_true, tf.int32) == tf.argmax(y_pred, -1, output_type=tf.int32)
    share = tf.reduce_mean(tf.cast(right, tf.float32))
    return 2 * share / (1 + share * share)


def broken(name, **methods):
    """The right metric with other methods."""
    return type(name, (RightMetric,), methods)


BROKEN = {
    "takes_labels_and_predictions": broken(
        "OneArgument", update_state=lambda self, y_true: self.count.assign_add(1)
    ),
    "result_is_a_scalar": broken(
        "PerClass", result=lambda self: tf.stack([RightMetric.result(self)] * 3)
    ),
    "result_follows_the_predictions": AlwaysHalf,
    "reset_state_forgets_everything": broken("NeverReset", reset_state=lambda self: None),
    "state_is_in_variables": InPython,
    "instances_share_nothing": Shared,
    "batching_does_not_change_the_result": MeanOfBatches,
    "no_nan_at_the_edge": broken("NaNWhereAllAreWrong", result=harmonic),
    "weights_count_samples": IgnoresWeights,
    "counts_beyond_2_to_the_24": Float32Counts,
    "takes_labels_of_any_dtype": IntegersOnly,
    "takes_float16_predictions": Float32Only,
    "runs_in_a_graph": ByNumpy,
    "runs_under_jit_compile": ByPythonFunction,
    "uses_every_argument": IgnoresItsThreshold,
    "config_round_trips": broken("NoConfig", get_config=keras.metrics.Metric.get_config),
}
# Other ways to go wrong that the same checks find.
MORE = {
    broken(
        "ResetsHalf", reset_state=lambda self: self.hits.assign(0)
    ): "reset_state_forgets_everything",
    InTensorFlowVariable: "state_is_in_variables",
    LastBatch: "batching_does_not_change_the_result",
    TakesNoWeights: "weights_count_samples",
    batch_f1_score: "batching_does_not_change_the_result",
}
RIGHT = (RightMetric,)
