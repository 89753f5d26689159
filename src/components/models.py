r"""A model with a training step of its own: gradients clipped by hand, their norm logged.

$$g \leftarrow g \cdot \min\!\left(1, \frac{c}{\lVert g \rVert}\right), \qquad
\lVert g \rVert = \sqrt{\textstyle\sum_i \lVert g_i \rVert_2^2} \text{ over all weights } i$$
"""

from __future__ import annotations

import warnings
from typing import Any

import keras
import tensorflow as tf

from .arguments import PACKAGE, check_positive
from .step_metrics import OF_TRAINING, StepLog


@keras.saving.register_keras_serializable(package=PACKAGE)
class ClippedModel(keras.Model):
    r"""A functional model that clips its gradients to a global norm of `clip_norm`.

    With clipping off, training is that of `keras.Model` to the bit. Every training step also
    logs, beside the loss and the compiled metrics:

    - `grad_norm`: the norm before clipping, mean over the epoch's steps so far;
    - `clipped_fraction`: the share of those steps whose norm exceeded `clip_norm`;
    - `learning_rate`: that of the latest step.

    Evaluation logs none of the three. Under loss scaling (`mixed_float16`) norm and threshold are
    those of the unscaled gradients; a step whose gradients are not finite, which the
    `LossScaleOptimizer` skips, is left out of the first two. With `gradient_accumulation_steps` in
    the optimizer it is each step's gradient that is clipped, before accumulation; the optimizer's
    own `global_clipnorm` clips their mean.

    On several replicas (`tf.distribute`) a step is that of one device on the whole batch: norm and
    clipping are those of the summed gradient, and each replica's mean loss counts by its share of
    the rows, where `keras.Model` counts all replicas alike.

    A saved model keeps the state of its dropout, which Keras leaves out of the file, so that
    training goes on after loading as it would have without. `keras.models.clone_model` calls the
    constructor with inputs and outputs alone, which is an error, so that no clone goes without
    clipping unnoticed: `ClippedModel.from_config(model.get_config())` is a clone that clips.

    Args:
        inputs: As in `keras.Model(inputs, outputs)`.
        outputs: As in `keras.Model(inputs, outputs)`.
        clip_norm: Largest global norm, a finite number > 0, or None for no clipping.
        **kwargs: `name` and `trainable`, as in `keras.Model`.

    Raises:
        TypeError: `clip_norm` is missing.
        ValueError: It is not as above, or inputs and outputs are missing.

    Source: Pascanu et al. 2013, "On the difficulty of training recurrent neural networks", ICML,
    algorithm 1.

    Example:
        >>> inputs = keras.Input((4,))
        >>> model = ClippedModel(inputs, keras.layers.Dense(2)(inputs), clip_norm=1.0)
        >>> model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        >>> history = model.fit(tf.ones((8, 4)), tf.zeros(8), verbose=0).history
        >>> sorted(history)
        ['clipped_fraction', 'grad_norm', 'learning_rate', 'loss']
    """

    def call(self, inputs: Any, training: bool = False, mask: Any = None, **kwargs: Any) -> Any:
        """Predict unless told to train: Keras's layers for images train where nothing is said."""
        return super().call(inputs, training=training, mask=mask, **kwargs)

    def train_step(self, data: Any) -> dict[str, Any]:
        """Update and log; `fit` calls it for each batch."""
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        rate = keras.ops.convert_to_tensor(self.optimizer.learning_rate)  # a schedule moves on
        y_pred, loss, norm, rows = self.update(x, y, sample_weight)
        self.step_log.update_state(norm, self.clip_norm, rate)
        # The first metric is Keras's mean of the loss, here over this replica's rows.
        self.metrics[0].update_state(undivided(loss), sample_weight=rows)
        return self.compute_metrics(x, y, y_pred, sample_weight=sample_weight)

    def update(self, x: Any, y: Any, sample_weight: Any = None) -> tuple[Any, Any, Any, Any]:
        """Forward, loss, backward, clip, update; return predictions, loss, norm and rows."""
        rows = tf.shape(next(part for part in keras.tree.flatten(x) if part is not None))[0]
        with tf.GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compute_loss(x, y, y_pred, sample_weight, training=True)
            scaled_loss = self.optimizer.scale_loss(by_rows(loss, rows))
        weights = self.trainable_weights
        if not weights:
            warnings.warn("The model has no trainable weights.", stacklevel=2)
        gradients = tape.gradient(scaled_loss, weights)
        norm = global_norm(gradients) / self.optimizer.scale_loss(1.0)
        if self.clip_norm is not None:
            gradients, _ = tf.clip_by_global_norm(gradients, self.clip_norm, use_norm=norm)
        self.optimizer.apply(gradients, weights)
        return y_pred, loss, norm, rows

    def __init__(self, *args: Any, clip_norm: float | None, **kwargs: Any) -> None:
        missing = [name for name in ("inputs", "outputs")[len(args) :] if name not in kwargs]
        if missing:
            raise ValueError(
                f"A ClippedModel is built as ClippedModel(inputs, outputs). No {missing}."
            )
        if clip_norm is not None:
            clip_norm = check_positive(clip_norm, "clip_norm", ", or None for no clipping")
        super().__init__(*args, **kwargs)
        self.clip_norm = clip_norm
        self.step_log = StepLog()
        self._evaluates = False

    def test_step(self, data: Any) -> dict[str, Any]:
        """Evaluate a batch, without the logs of a training step."""
        return _of_evaluation(super().test_step(data))

    def evaluate(self, *args: Any, **kwargs: Any) -> Any:
        """Evaluate as `keras.Model` does."""
        self._evaluates = True
        try:
            return super().evaluate(*args, **kwargs)
        finally:
            self._evaluates = False

    def get_metrics_result(self) -> dict[str, Any]:
        """Return the metrics' values, in evaluation under the names that `test_step` returns.

        Keras takes the logs of the last step, which are one replica's, where the names differ.
        """
        results = super().get_metrics_result()
        return _of_evaluation(results) if self._evaluates else results

    def get_config(self) -> dict[str, Any]:
        """Return the functional graph's config with `clip_norm`."""
        return {**super().get_config(), "clip_norm": self.clip_norm}

    def save_own_variables(self, store: Any) -> None:
        """Save Keras's variables and the random states, which it leaves out of the file."""
        super().save_own_variables(store)
        for name, state in self._random_states().items():
            store[name] = state

    def load_own_variables(self, store: Any) -> None:
        """Load both, so that training goes on with the draws it would have made unsaved."""
        saved = {key: store[key] for key in store.keys()}  # noqa: SIM118 (no dictionary)
        for name, state in self._random_states().items():
            if name in saved:  # a file of a stock model has none
                state.assign(saved.pop(name))
        super().load_own_variables(saved)

    def _random_states(self) -> dict[str, keras.Variable]:
        """The states of dropout and other random layers, numbered in the order of the layers."""
        states = [v for v in self.variables if v.name == "seed_generator_state"]
        return {f"random_{index}": state for index, state in enumerate(states)}


def global_norm(gradients: list[Any]) -> Any:
    """Return the L2 norm of all entries of all gradients, summed over the replicas; 0 of none.

    An embedding's gradient, which names rows, has the rows summed first.
    """
    dense = [tf.convert_to_tensor(gradient) for gradient in gradients if gradient is not None]
    if not dense:
        return tf.zeros(())
    if replicas() > 1:
        dense = tf.distribute.get_replica_context().all_reduce("SUM", dense)
    squares = [keras.ops.sum(keras.ops.square(gradient)) for gradient in dense]
    return keras.ops.sqrt(keras.ops.sum(keras.ops.stack(squares)))


def replicas() -> int:
    """Return how many replicas the step being traced runs on at once; 1 without a strategy."""
    return int(tf.distribute.get_strategy().num_replicas_in_sync)


def undivided(loss: Any) -> Any:
    """Return the mean over this replica's rows, which Keras divides by the number of replicas."""
    return loss if replicas() == 1 else loss * replicas()


def by_rows(loss: Any, rows: Any) -> Any:
    """Return the loss weighted by this replica's share of the batch's rows.

    Summed over the replicas that is the mean over the batch.
    """
    if replicas() == 1:
        return loss
    rows = tf.cast(rows, tf.float32)
    share = rows / tf.distribute.get_replica_context().all_reduce("SUM", rows)
    return undivided(loss) * share


def _of_evaluation(logs: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in logs.items() if name not in OF_TRAINING}
