"""Two trainings of one run against each other: in a shared graph, by ``fit``, cut and resumed."""

import keras
import numpy as np


class SeesBatches(keras.callbacks.Callback):
    """Has to be called with every batch, as only ``fit`` does."""

    def on_train_batch_end(self, batch, logs=None):
        pass


class PowerCutError(BaseException):
    """Ends a training as nothing in it expects."""


class Cut(keras.callbacks.Callback):
    """Ends the training in the middle of an epoch, counted from 0."""

    def __init__(self, epoch):
        super().__init__()
        self._epoch, self._now = epoch, -1

    def on_epoch_begin(self, epoch, logs=None):
        self._now = epoch

    def on_train_batch_end(self, batch, logs=None):
        if self._now == self._epoch and batch == 2:
            raise PowerCutError


def bits(trained):
    """All that a run comes to, to the bit."""
    own = trained.own.values()  # of the decisions that may have another epoch
    arrays = [one for at in own for one in (*(at.weights or []), at.val_logits, at.test_logits)]
    return (
        b"".join(weight.tobytes() for weight in trained.model.get_weights()),
        [np.asarray(variable).tobytes() for variable in trained.model.optimizer.variables],
        trained.val_logits.tobytes(),
        trained.test_logits.tobytes(),
        trained.history,
        (trained.best_epoch, trained.best_value),
        [one.tobytes() for one in arrays],
        [at.epoch for at in own],
        trained.crossfit,
    )
