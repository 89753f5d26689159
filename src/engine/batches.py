"""The training split in batches, in an order that depends on seed and epoch alone.

Keras shuffles from a generator whose state no checkpoint holds. Here epoch e of a run has the same
order whether the run came from epoch e - 1 or was interrupted there and went on later.
"""

from typing import Any

import keras
import tensorflow as tf

from src.data.dataset import Dataset


def shuffled(numbers: tf.Tensor, seed: int, epoch: int | tf.Variable) -> tf.Tensor:
    """Rows in the order of an epoch.

    Args:
        numbers: of the rows of the training split, 0 to n - 1, int64, shape (n,).
        seed: of the run.
        epoch: counted from 0.

    Returns:
        The same, shuffled.
    """
    key = tf.convert_to_tensor([seed, epoch], tf.int64)
    return tf.random.experimental.stateless_shuffle(numbers, key)


class ShuffledBatches(keras.callbacks.Callback):
    """Batches of the training split; as a callback, told which epoch begins.

    Args:
        dataset: its training split stays in memory, and is not copied again for an epoch.
        batch_size: rows in a batch; the last one may be smaller.
        seed: with the epoch's number it decides the order.

    Attributes:
        batches: what ``fit`` takes: x float32 ``(batch, ...)``, y int64 ``(batch,)``.
    """

    def __init__(self, dataset: Dataset, batch_size: int, seed: int) -> None:
        super().__init__()
        self._epoch = tf.Variable(0, dtype=tf.int64, trainable=False)
        x, y = tf.constant(dataset.x_train), tf.constant(dataset.y_train)
        rows = len(dataset.y_train)
        numbers = tf.range(rows, dtype=tf.int64)

        def order(_: tf.Tensor) -> tf.data.Dataset:
            return tf.data.Dataset.from_tensor_slices(shuffled(numbers, seed, self._epoch))

        def pick(numbers: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            return tf.gather(x, numbers), tf.gather(y, numbers)

        steps = -(-rows // batch_size)
        self.batches = (
            tf.data.Dataset.from_tensors(0)
            .flat_map(order)
            .batch(batch_size)
            .map(pick)
            .apply(tf.data.experimental.assert_cardinality(steps))
        )

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Sets the order of the epoch that begins."""
        self._epoch.assign(epoch)
