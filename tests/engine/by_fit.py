"""What holds a run in a shared graph against the same run by Keras's ``fit``."""

import keras
import numpy as np


class SeesBatches(keras.callbacks.Callback):
    """Has to be called with every batch, as only ``fit`` does."""

    def on_train_batch_end(self, batch, logs=None):
        pass


def bits(trained):
    """All that a run comes to, to the bit."""
    return (
        b"".join(weight.tobytes() for weight in trained.model.get_weights()),
        [np.asarray(variable).tobytes() for variable in trained.model.optimizer.variables],
        trained.val_logits.tobytes(),
        trained.test_logits.tobytes(),
        trained.history,
        (trained.best_epoch, trained.best_value),
        *own_bits(trained),
    )


def own_bits(trained):
    """The same of the decisions that may have another epoch."""
    own = trained.own.values()
    arrays = [one for at in own for one in (*(at.weights or []), at.val_logits, at.test_logits)]
    return [one.tobytes() for one in arrays], [at.epoch for at in own], trained.crossfit
