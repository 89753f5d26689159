"""Keras."""

from typing import Any

import keras
import tensorflow as tf


def build_from_first_replica(model: keras.Model) -> None:
    """Lets ``fit`` and ``evaluate`` take a first batch that replicas share unevenly.

    Under a strategy Keras builds what ``compile`` left unbuilt from the mean of all replicas' parts
    of the first batch, which fails where the parts differ in size. With this it is built from the
    first replica's part.

    Args:
        model: compiled within the scope of a ``tf.distribute`` strategy.

    Version: Keras 3.0 to 3.15.
    Upstream: https://github.com/keras-team/keras/issues/19246
    Without it: ``training.distribute=mirrored`` fails unless ``training.batch_size``, and the rows
        of the validation split, are a multiple of the number of GPUs.
    """
    strategy = model.distribute_strategy

    def build(iterator: Any = None, data_batch: Any = None) -> None:
        if iterator is not None:
            _, _, batches = next(iter(iterator))
            data_batch = tf.nest.map_structure(
                lambda part: strategy.experimental_local_results(part)[0], next(batches)
            )
        with strategy.scope():
            model._symbolic_build(data_batch=data_batch)

    model._maybe_symbolic_build = build
