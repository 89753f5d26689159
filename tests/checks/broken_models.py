"""Models whose training step is wrong, each in one way, and one that is right."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("kit_tests")
class RightModel(keras.Model):
    """A training step of its own, its parts to be overridden one at a time."""

    def __init__(self, *args, pace=1.0, **kwargs):
        super().__init__(*args, **kwargs)
        self.pace = pace

    def get_config(self):
        return {**super().get_config(), "pace": self.pace}

    def train_step(self, data):
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        with tf.GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.loss_of(x, y, y_pred, sample_weight)
            scaled = self.scaled(loss)
        gradients = tape.gradient(scaled, self.trainable_variables)
        self.update(gradients)
        return self.logs(loss, x, y, y_pred, sample_weight)

    def loss_of(self, x, y, y_pred, sample_weight):
        return self.compute_loss(x, y, y_pred, sample_weight)

    def scaled(self, loss):
        return self.optimizer.scale_loss(loss)

    def update(self, gradients):
        gradients = [gradient * self.pace for gradient in gradients]
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))

    def logs(self, loss, x, y, y_pred, sample_weight):
        self.metrics[0].update_state(loss, sample_weight=tf.shape(y)[0])
        return self.compute_metrics(x, y, y_pred, sample_weight)


class ByNumpy(RightModel):
    def loss_of(self, x, y, y_pred, sample_weight):
        loss = super().loss_of(x, y, y_pred, sample_weight)
        print(f"loss {loss.numpy()}", end="")
        return loss


class SkipsRegularisation(RightModel):
    def loss_of(self, x, y, y_pred, sample_weight):
        errors = tf.square(tf.cast(y_pred, tf.float32) - y)
        return tf.reduce_mean(errors)


class CountsInPython(RightModel):
    def update(self, gradients):
        self.rounds = getattr(self, "rounds", 0) + 1
        super().update([gradient / self.rounds for gradient in gradients])


class HidesItsMetric(RightModel):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.mine = keras.metrics.Mean(name="mine")

    @property
    def metrics(self):
        return [metric for metric in super().metrics if metric is not self.mine]

    def logs(self, loss, x, y, y_pred, sample_weight):
        self.mine.update_state(loss)
        return {**super().logs(loss, x, y, y_pred, sample_weight), "mine": self.mine.result()}


class OwnTrainFunction(RightModel):
    def make_train_function(self, force=False):
        @tf.function
        def step(iterator):
            return self.train_step(next(iterator))

        self.train_function = step


class ByPythonFunction(RightModel):
    def loss_of(self, x, y, y_pred, sample_weight):
        loss = super().loss_of(x, y, y_pred, sample_weight)
        return tf.ensure_shape(tf.py_function(lambda t: t, [loss], loss.dtype), ())


class ForgetsItsNorm(RightModel):
    def __init__(self, *args, clip_norm=1.0, **kwargs):
        super().__init__(*args, **kwargs)
        self.clip_norm = clip_norm


def forgets_its_norm():
    inputs = keras.Input((6,))
    return ForgetsItsNorm(inputs, keras.layers.Dense(3)(inputs), clip_norm=0.5)


class IgnoresItsNorm(RightModel):
    def __init__(self, *args, clip_norm=1.0, **kwargs):
        super().__init__(*args, **kwargs)
        self.clip_norm = clip_norm

    def get_config(self):
        return {**super().get_config(), "clip_norm": self.clip_norm}


class CannotBeSaved(keras.Model):
    def __init__(self, activation=None):
        super().__init__()
        self.dense = keras.layers.Dense(3, activation=activation)

    def call(self, inputs):
        return self.dense(inputs)


def cannot_be_saved():
    return CannotBeSaved(lambda x: x * 2)


def broken(name, **methods):
    """The right model with other methods."""
    return type(name, (RightModel,), methods)


BROKEN = {
    "can_be_trained": ByNumpy,
    "the_optimizer_steps": broken("NoOptimizerStep", update=lambda self, gradients: None),
    "training_lowers_the_loss": broken(
        "Uphill", update=lambda self, g: RightModel.update(self, [-x for x in g])
    ),
    "sample_weights_change_the_step": broken(
        "DropsSampleWeights", loss_of=lambda self, *data: self.compute_loss(*data[:3])
    ),
    "regularisation_counts": SkipsRegularisation,
    "graph_and_eager_agree": CountsInPython,
    "logs_hold_loss_and_metrics": broken(
        "LosesTheLogs", logs=lambda self, loss, *data: {"loss": loss}
    ),
    "logged_values_are_right": broken(
        "NeverUpdatesItsLoss", logs=lambda self, loss, *data: self.compute_metrics(*data)
    ),
    "metrics_are_reset": HidesItsMetric,
    "steps_per_execution_changes_nothing": OwnTrainFunction,
    "trains_under_jit_compile": ByPythonFunction,
    "trains_in_mixed_precision": broken("DoesNotScale", scaled=lambda self, loss: loss),
    "uses_every_argument": IgnoresItsNorm,
    "saves_and_loads": forgets_its_norm,
    "loads_without_custom_objects": broken("Unregistered"),
}
MORE = {cannot_be_saved: "saves_and_loads"}
RIGHT = (RightModel,)
