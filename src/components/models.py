r"""A model with a training step of its own: gradients clipped by hand, their norm logged.

$$g \leftarrow g \cdot \min\!\left(1, \frac{c}{\lVert g \rVert}\right), \qquad
\lVert g \rVert = \sqrt{\textstyle\sum_i \lVert g_i \rVert_2^2} \text{ over all weights } i$$
"""

from __future__ import annotations

import warnings
from typing import Any

import keras
import tensorflow as tf

from .arguments import PACKAGE, is_finite
from .step_metrics import OF_TRAINING, ClippedNorm, LastValue


def replicas() -> int:
    """Return how many replicas the step being traced runs on at once; 1 without a strategy."""
    return int(tf.distribute.get_strategy().num_replicas_in_sync)


def global_norm(gradients: list[tf.Tensor]) -> tf.Tensor:
    """Return the L2 norm of all entries of all gradients, summed as Keras's optimizers do."""
    squares = [keras.ops.sum(keras.ops.square(gradient)) for gradient in gradients]
    return keras.ops.sqrt(keras.ops.sum(keras.ops.stack(squares)))


def _scaled(gradient: Any, factor: tf.Tensor) -> Any:
    """Multiply a gradient, sparse ones (of an embedding) without making them dense."""
    if isinstance(gradient, tf.IndexedSlices):
        values = gradient.values * factor
        return tf.IndexedSlices(values, gradient.indices, gradient.dense_shape)
    return gradient * factor


def _number(key: str) -> int:
    """Return the number at the end of a key such as "random_10"."""
    return int(key.rpartition("_")[2])


@keras.saving.register_keras_serializable(package=PACKAGE)
class ClippedModel(keras.Model):
    r"""A functional model that clips its gradients to a global norm of `clip_norm`.

    With clipping off, training is that of `keras.Model` to the bit. Every training step also
    logs, beside the loss and the compiled metrics:

    - `grad_norm`: the norm before clipping, mean over the epoch's steps so far;
    - `clipped_fraction`: the share of those steps whose norm exceeded `clip_norm`;
    - `learning_rate`: that of the latest step.

    Under loss scaling (`mixed_float16`) norm and threshold are those of the unscaled gradients. A
    step whose gradients are not finite, which the `LossScaleOptimizer` skips, is left out of the
    first two. With `gradient_accumulation_steps` in the optimizer it is each step's gradient that
    is clipped, before accumulation; the optimizer's own `global_clipnorm` clips their mean.
    Evaluation logs none of the three.

    On several replicas (`tf.distribute`) a step is that of one device on the whole batch: norm and
    clipping are those of the summed gradient, and each replica's loss counts by its share of the
    rows. `keras.Model` counts all replicas alike, and so weighs the rows of a batch that does not
    divide evenly unequally.

    A saved model keeps the state of its dropout, which Keras leaves out of the file, so that
    training goes on after loading as it would have without.

    Args:
        inputs: As in `keras.Model(inputs, outputs)`.
        outputs: As in `keras.Model(inputs, outputs)`.
        clip_norm: Largest global norm, a finite number > 0, or None for no clipping. Defaults to
            None.
        **kwargs: `name` and `trainable`, as in `keras.Model`.

    Raises:
        ValueError: `clip_norm` is not as above, or inputs and outputs are missing.

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

    train_function: Any

    def __init__(self, *args: Any, clip_norm: float | None = None, **kwargs: Any) -> None:
        missing = [name for name in ("inputs", "outputs")[len(args) :] if name not in kwargs]
        if missing:
            raise ValueError(
                f"A ClippedModel is built as ClippedModel(inputs, outputs). No {missing}."
            )
        if clip_norm is not None and (not is_finite(clip_norm) or clip_norm <= 0):
            raise ValueError(
                f"`clip_norm` must be a finite number > 0, or None for none. Got {clip_norm!r}."
            )
        super().__init__(*args, **kwargs)
        self.clip_norm = None if clip_norm is None else float(clip_norm)
        self._grad_norm = ClippedNorm()
        self._learning_rate = LastValue(name="learning_rate")
        self._evaluates = False

    def train_step(self, data: Any) -> dict[str, Any]:
        """Forward, loss, backward, clip, update, log: what `fit` does with each batch."""
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        with tf.GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compute_loss(x, y, y_pred, sample_weight, training=True)
            batch_size = tf.shape(next(part for part in tf.nest.flatten(x) if part is not None))[0]
            if replicas() > 1:  # Keras divides the mean over this replica's rows by the replicas
                loss *= tf.cast(replicas(), loss.dtype)
            # The first of `metrics` is Keras's mean of the loss, weighted by the batch's size.
            self.metrics[0].update_state(loss, sample_weight=batch_size)
            if replicas() > 1:
                loss *= tf.cast(self._share(batch_size), loss.dtype)
            scaled_loss = self.optimizer.scale_loss(loss)
        weights = self.trainable_weights
        if weights:
            gradients = tape.gradient(scaled_loss, weights)
            gradients = self.clip_and_log(gradients, weights)
            self.optimizer.apply_gradients(zip(gradients, weights, strict=True))
        else:
            warnings.warn("The model has no trainable weights.", stacklevel=2)
        return self.compute_metrics(x, y, y_pred, sample_weight=sample_weight)

    def make_train_function(self, force: bool = False) -> None:
        """Compile the step as Keras does, but hand its logs out of the graph as they are.

        Keras 3.15 wraps the logs of every call in a `tf.experimental.Optional`, of use to several
        steps in one call alone; to ask it and to unwrap it takes longer than a small network's
        operations.
        """
        if self.train_function is not None and not force:
            return
        super().make_train_function(force=force)
        convert = getattr(self, "_autoconvert_optionals", None)  # of Keras 3.15
        if self.run_eagerly or self.steps_per_execution != 1 or convert is None:
            return
        by_keras = self.train_function
        traced = tf.function(
            self.train_step, autograph=False, jit_compile=self.jit_compile, reduce_retracing=True
        )
        step = convert(traced)

        @tf.function(autograph=False, reduce_retracing=True)
        def next_step(iterator: tf.data.Iterator) -> dict[str, tf.Tensor]:
            logs: dict[str, tf.Tensor] = step(iterator.get_next())
            return logs

        def train(iterator: Any) -> dict[str, tf.Tensor]:
            # Of several replicas it is another kind of iterator, and one of Python's of one batch.
            run = next_step if isinstance(iterator, tf.data.Iterator) else by_keras
            logs: dict[str, tf.Tensor] = run(iterator)
            return logs

        self.train_function = train

    def test_step(self, data: Any) -> dict[str, Any]:
        """Evaluate a batch; without what only a training step can log."""
        return self._without_own(super().test_step(data))

    def evaluate(self, *args: Any, **kwargs: Any) -> Any:
        """Evaluate as `keras.Model` does."""
        self._evaluates = True
        try:
            return super().evaluate(*args, **kwargs)
        finally:
            self._evaluates = False

    def get_metrics_result(self) -> dict[str, Any]:
        """Return the metrics' values; of several replicas together.

        Keras takes the logs of one replica instead where their names are not those given here.
        """
        results = super().get_metrics_result()
        alone = self.distribute_strategy.num_replicas_in_sync == 1
        return results if alone or not self._evaluates else self._without_own(results)

    def _maybe_symbolic_build(self, iterator: Any = None, data_batch: Any = None) -> None:
        """Build what `compile` left unbuilt, from the first replica's part of the first batch.

        Keras 3.15 takes the mean of all replicas' parts, and fails where they differ in size.
        """
        if iterator is None or self._distribute_strategy is None:
            super()._maybe_symbolic_build(iterator=iterator, data_batch=data_batch)
            return
        strategy = self._distribute_strategy
        _, _, batches = next(iter(iterator))
        first = tf.nest.map_structure(
            lambda values: strategy.experimental_local_results(values)[0], next(batches)
        )
        with strategy.scope():
            self._symbolic_build(data_batch=first)

    def _without_own(self, logs: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in logs.items() if name not in OF_TRAINING}

    def _share(self, rows: tf.Tensor) -> tf.Tensor:
        """This replica's share of the batch's rows, or of a loss that is a sum over rows."""
        if getattr(self.loss, "reduction", None) == "sum":
            return 1 / replicas()
        rows = tf.cast(rows, tf.float32)
        return rows / tf.distribute.get_replica_context().all_reduce("SUM", rows)

    def clip_and_log(self, gradients: list[Any], weights: list[Any]) -> list[Any]:
        """Update the step's own metrics and return the gradients, clipped when clipping is on."""
        self._learning_rate.update_state(self.optimizer.learning_rate)
        pairs = list(zip(gradients, weights, strict=True))
        # A weight that takes its "gradient" as its new value (float8 scales) has none to clip.
        clips = [
            g is not None and not getattr(w, "overwrite_with_gradient", False) for g, w in pairs
        ]
        dense = [tf.convert_to_tensor(g) for g, clip in zip(gradients, clips, strict=True) if clip]
        if not dense:
            return gradients
        if replicas() > 1:
            dense = tf.distribute.get_replica_context().all_reduce("SUM", dense)
        one = tf.ones(())
        scale = self.optimizer.scale_loss(one)
        norm = global_norm(dense)
        if scale is not one:
            norm = norm / scale
        norm = tf.cast(norm, tf.float32)
        self._grad_norm.update_state(norm, self.clip_norm)
        if self.clip_norm is None:
            return gradients
        # As Keras computes it, to the bit; an infinite norm makes it NaN, so the loss scaler
        # sees the overflow and nothing else trains on.
        factor = self.clip_norm * tf.minimum(1 / norm, 1 / self.clip_norm) + (norm - norm)
        return [
            _scaled(gradient, tf.cast(factor, gradient.dtype)) if clip else gradient
            for gradient, clip in zip(gradients, clips, strict=True)
        ]

    def get_config(self) -> dict[str, Any]:
        """Return the functional graph's config with `clip_norm`."""
        return {**super().get_config(), "clip_norm": self.clip_norm}

    def _random_states(self) -> list[keras.Variable]:
        """The states of dropout and other random layers, in the order of the layers."""
        return [v for v in self.variables if v.name == "seed_generator_state"]

    def save_own_variables(self, store: Any) -> None:
        """Save what Keras saves and the random states, which it leaves out of the file."""
        super().save_own_variables(store)
        for index, state in enumerate(self._random_states()):
            store[f"random_{index}"] = state

    def load_own_variables(self, store: Any) -> None:
        """Load both, so that training goes on with the draws it would have made unsaved."""
        saved = {key: store[key] for key in store.keys()}  # noqa: SIM118 (no dictionary)
        states = [saved.pop(key) for key in sorted(saved, key=_number) if key.startswith("random_")]
        super().load_own_variables(saved)
        if states:  # a file of a stock model has none
            for state, value in zip(self._random_states(), states, strict=True):
                state.assign(value)
