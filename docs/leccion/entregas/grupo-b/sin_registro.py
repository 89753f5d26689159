"""Entrega con otros dos: una configuración incompleta, y un train_step que pierde el registro."""

import keras
import tensorflow as tf
from keras import ops


class Potencia(keras.layers.Layer):
    """Su get_config se olvida del exponente."""

    def __init__(self, exponente=2.0, **kwargs):
        super().__init__(**kwargs)
        self.exponente = exponente

    def call(self, inputs):
        return ops.power(ops.abs(inputs), self.exponente)

    def get_config(self):
        return super().get_config()


class SoloLaLoss(keras.Model):
    """Da el paso, y devuelve la loss y nada más."""

    def train_step(self, data):
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        with tf.GradientTape() as cinta:
            loss = self.compute_loss(x, y, self(x, training=True), sample_weight)
        gradientes = cinta.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradientes, self.trainable_variables, strict=True))
        return {"loss": loss}
