"""The training split in batches, in an order that depends on seed and epoch alone.

Keras shuffles from a generator whose state no checkpoint holds. Here epoch e of a run has the same
order whether the run came from epoch e - 1 or was interrupted there and went on later.

Images that are kept as bytes are read from where they lie, in memory or in a file that is mapped
into it, some rows at a time: no second copy of them is made, and either has the same bits.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from src.data.dataset import LARGEST_PIXEL, Dataset

Order = Callable[[int | tf.Variable], tf.Tensor]
"""From the number of an epoch, counted from 0, to its rows, int64, shape (n,)."""
AHEAD = 1
"""Batches, or parts, that are read ahead."""


def decoded(rows: tf.Tensor) -> tf.Tensor:
    """A batch as the model takes it: pixels of images that are kept as bytes as 0 to 1, float32.

    The same numbers as :func:`src.data.dataset.decoded` gives, to the bit.
    """
    return tf.cast(rows, tf.float32) / LARGEST_PIXEL if rows.dtype == tf.uint8 else rows


def in_order(rows_at_a_time: int, *arrays: NDArray[Any]) -> tf.data.Dataset:
    """Rows of one or several arrays, the features first and decoded, in their order.

    Args:
        rows_at_a_time: in a batch.
        arrays: shape (n, ...).
    """
    read_x, *read_rest = map(_reader, arrays)

    def pick(numbers: tf.Tensor) -> tuple[tf.Tensor, ...]:
        return decoded(read_x(numbers)), *(read(numbers) for read in read_rest)

    numbers = tf.data.Dataset.range(len(arrays[0])).batch(rows_at_a_time)
    return numbers.map(pick).prefetch(AHEAD)


def in_parts(
    x: NDArray[Any], y: NDArray[Any], order: NDArray[np.int64], rows_at_a_time: int
) -> Iterator[tuple[tf.Tensor, tf.Tensor]]:
    """Rows in an order, as they are kept, some at a time.

    Args:
        x: features, shape (n, ...); of pixels the next rows are read while a part is in use.
        y: class numbers, shape (n,).
        order: numbers of rows.
        rows_at_a_time: in a part; the last one may be smaller.
    """
    if x.dtype == np.uint8:
        numbers = tf.data.Dataset.from_tensor_slices(order).batch(rows_at_a_time)
        read_x, read_y = _reader(x), _reader(y)
        yield from numbers.map(lambda some: (read_x(some), read_y(some))).prefetch(AHEAD)
        return
    for start in range(0, len(order), rows_at_a_time):
        some = order[start : start + rows_at_a_time]
        yield tf.constant(x[some]), tf.constant(y[some])


def _reader(array: NDArray[Any]) -> Callable[[tf.Tensor], tf.Tensor]:
    """From numbers of rows, int64, to the rows: of pixels from where they lie, else of a copy."""
    if array.dtype != np.uint8:
        return partial(tf.gather, tf.constant(array))

    def read(numbers: tf.Tensor) -> tf.Tensor:
        # Not stateful, or a deterministic pipeline would read nothing ahead.
        rows = tf.numpy_function(array.__getitem__, [numbers], array.dtype, stateful=False)
        return tf.ensure_shape(rows, [None, *array.shape[1:]])

    return read


def epoch_order(dataset: Dataset, seed: int) -> Order:
    """Which rows of the training split an epoch trains on, one after the other.

    Every row once; with balanced batches, as many draws as there are rows, each from a class that
    is drawn before, all classes alike (class-balanced sampling: Kang et al. 2020, "Decoupling
    representation and classifier for long-tailed recognition", ICLR, equation 1 with q = 0).

    Args:
        dataset: its training split has n rows.
        seed: of the run.
    """
    if not dataset.balanced_batches:
        return partial(shuffled, tf.range(len(dataset.y_train), dtype=tf.int64), seed)
    rows = tf.constant(np.argsort(dataset.y_train, kind="stable"), tf.int64)
    return partial(balanced, rows, tf.constant(dataset.class_counts, tf.int64), seed)


def shuffled(numbers: tf.Tensor, seed: int, epoch: int | tf.Variable) -> tf.Tensor:
    """Rows in the order of an epoch.

    Args:
        numbers: of the rows of the training split, 0 to n - 1, int64, shape (n,).
        seed: of the run.
        epoch: counted from 0.

    Returns:
        The same, shuffled.
    """
    return tf.random.experimental.stateless_shuffle(numbers, _key(seed, epoch))


def balanced(rows: tf.Tensor, counts: tf.Tensor, seed: int, epoch: int | tf.Variable) -> tf.Tensor:
    """Rows drawn with replacement, each of the K classes with probability 1 / K.

    Args:
        rows: numbers of the rows, class by class, int64, shape (n,).
        counts: how many each class has, none of them 0, int64, shape (K,).
        seed: of the run.
        epoch: counted from 0.

    Returns:
        Numbers of n rows, int64, shape (n,).
    """
    shape = [2, tf.size(rows)]
    draws = tf.random.stateless_uniform(shape, _key(seed, epoch), dtype=tf.float64)
    classes = _one_of(tf.fill(shape[1:], tf.size(counts, tf.int64)), draws[0])
    places = _one_of(tf.gather(counts, classes), draws[1])
    return tf.gather(rows, tf.gather(tf.cumsum(counts, exclusive=True), classes) + places)


def _one_of(sizes: tf.Tensor, draws: tf.Tensor) -> tf.Tensor:
    """Whole numbers from 0 to below each size, by draws from [0, 1)."""
    return tf.cast(tf.cast(sizes, tf.float64) * draws, tf.int64)


def _key(seed: int, epoch: int | tf.Variable) -> tf.Tensor:
    return tf.convert_to_tensor([seed, epoch], tf.int64)


class ShuffledBatches(keras.callbacks.Callback):
    """Batches of the training split; as a callback, told which epoch begins.

    Args:
        dataset: gives the training split.
        batch_size: rows in a batch; the last one may be smaller.
        seed: with the epoch's number it decides the order.

    Attributes:
        batches: what ``fit`` takes: x float32 ``(batch, ...)``, y int64 ``(batch,)``.
    """

    def __init__(self, dataset: Dataset, batch_size: int, seed: int) -> None:
        super().__init__()
        self._epoch = tf.Variable(0, dtype=tf.int64, trainable=False)
        read_x, read_y = _reader(dataset.x_train), _reader(dataset.y_train)
        rows_of = epoch_order(dataset, seed)

        def order(_: tf.Tensor) -> tf.data.Dataset:
            return tf.data.Dataset.from_tensor_slices(rows_of(self._epoch))

        def pick(numbers: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            return decoded(read_x(numbers)), read_y(numbers)

        steps = -(-len(dataset.y_train) // batch_size)
        self.batches = (
            tf.data.Dataset.from_tensors(0)
            .flat_map(order)
            .batch(batch_size)
            .map(pick)
            .prefetch(AHEAD)
            .apply(tf.data.experimental.assert_cardinality(steps))
        )

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Sets the order of the epoch that begins."""
        self._epoch.assign(epoch)
