r"""Weights of classes: by inverse frequency, by effective number, and deferred to later epochs.

`class_counts` is the number of training examples of each class, in the order of the classes: plain
positive integers, so that a saved loss carries what it was made from.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import keras
from keras import ops

from .arguments import PACKAGE, ConfiguredLoss, check_counts, check_share, check_weights
from .margin import class_factor, cross_entropy, sparse_inputs, true_class_margin


def balanced_weights(class_counts: Sequence[int]) -> list[float]:
    r"""$w_c = n / (K n_c)$: examples weigh 1 on average, each class the same in total."""
    return [sum(class_counts) / (len(class_counts) * count) for count in class_counts]


def effective_number_weights(class_counts: Sequence[int], beta: float) -> list[float]:
    r"""$w_c \propto (1 - \beta) / (1 - \beta^{n_c})$, which sum to K (Cui et al. 2019)."""
    log_beta = math.log(beta) if beta > 0 else -math.inf
    # 1 / (1 - beta^n), without cancellation where beta is next to 1.
    inverse = [-1 / math.expm1(count * log_beta) for count in class_counts]
    return [len(inverse) * value / sum(inverse) for value in inverse]


@keras.saving.register_keras_serializable(package=PACKAGE)
class ClassWeightedCrossentropy(ConfiguredLoss):
    r"""$-w_t \log p_t$ with $w_c = n / (K n_c)$, or with weights of your own.

    The weights are those of scikit-learn's `class_weight="balanced"`: examples weigh 1 on
    average and each class weighs the same in total.

    Args:
        class_counts: Training examples of each class, K whole numbers > 0.
        weights: One factor > 0 per class, instead of `class_counts`.
        name, **kwargs: As in `keras.losses.Loss`.

    Raises:
        ValueError: Neither or both of `class_counts` and `weights` are given, or one is not as
            above.

    Source: King and Zeng 2001, "Logistic Regression in Rare Events Data", Political Analysis 9
    (the weighted log-likelihood).

    Example:
        >>> loss = ClassWeightedCrossentropy(class_counts=[95, 5])
        >>> round(float(loss([1], [[0.0, 0.0]])), 4)  # 10 log 2
        6.9315
    """

    arguments = ("class_counts", "weights")

    def __init__(
        self,
        class_counts: Iterable[int] | None = None,
        weights: Iterable[float] | None = None,
        *,
        name: str | None = "class_weighted_crossentropy",
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        if (class_counts is None) == (weights is None):
            raise ValueError(
                "Give exactly one of `class_counts` and `weights`. "
                f"Got class_counts={class_counts!r}, weights={weights!r}."
            )
        self.class_counts = None if class_counts is None else check_counts(class_counts)
        self.weights = None if weights is None else check_weights(weights, "weights")
        self.class_weights = self.weights or balanced_weights(self.class_counts or [])

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return one loss per example."""
        is_true, logits = sparse_inputs(y_true, y_pred)
        given = "weights" if self.class_counts is None else "class_counts"
        weight = class_factor(self.class_weights, is_true, logits, given)
        return weight * cross_entropy(true_class_margin(is_true, logits))


@keras.saving.register_keras_serializable(package=PACKAGE)
class DeferredReweighting(ConfiguredLoss):
    r"""$w_t \ell$ of another loss $\ell$, with $w = 1$ in the first epochs of a training.

    Without weights the model learns features from all examples alike; then classes weigh
    $w_c \propto (1 - \beta) / (1 - \beta^{n_c})$, which sum to K. Of T epochs the first
    $T_0 = \lfloor \mathrm{defer} \cdot T \rfloor$ have no weights, so the last one always has.

    The loss has the weights unless a `ReweightingSchedule` takes them away: hand `fit` one, else
    classes are weighted from the first epoch. The schedule counts T as the epochs that `fit` is
    asked for, also where it goes on from a later one. Validation and `evaluate` have the weights in
    every epoch, so that `val_loss` has one meaning throughout; `loss` changes its scale at $T_0$.
    Early stopping may choose an epoch before $T_0$, or end the training there.

    Two steps of the paper's algorithm are left out: dividing a batch by the sum of its weights, for
    then no example has a loss of its own, and annealing the learning rate at $T_0$, which is the
    optimizer's to do.

    Args:
        loss: A Keras loss of integer labels that gives one value per example.
        class_counts: Training examples of each class, K whole numbers > 0.
        beta: 0 <= beta < 1, as in `ClassBalancedFocalLoss`. Defaults to 0.9999, as in the authors'
            code.
        defer: Share of the epochs without weights, 0 <= defer < 1. Defaults to 0.8, which is 160 of
            the paper's 200 epochs.
        name, **kwargs: As in `keras.losses.Loss`.

    Raises:
        ValueError: An argument is not as above.

    Source: Cao et al. 2019, "Learning Imbalanced Datasets with Label-Distribution-Aware Margin
    Loss", NeurIPS, algorithm 1.

    Example:
        >>> from .imbalance_losses import LDAMLoss
        >>> loss = DeferredReweighting(LDAMLoss([950, 50]), class_counts=[950, 50])
        >>> [round(w, 4) for w in loss.class_weights]
        [0.1043, 1.8957]
    """

    arguments = ("class_counts", "beta", "defer")

    def __init__(
        self,
        loss: keras.losses.Loss,
        class_counts: Iterable[int],
        beta: float = 0.9999,
        defer: float = 0.8,
        *,
        name: str | None = "deferred_reweighting",
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        if not isinstance(loss, keras.losses.Loss):
            raise ValueError(f"`loss` must be a keras.losses.Loss. Got {loss!r}.")
        self.loss = loss
        self.class_counts = check_counts(class_counts)
        self.beta, self.defer = check_share(beta, "beta"), check_share(defer, "defer")
        self.class_weights = effective_number_weights(self.class_counts, self.beta)
        self.reweights = keras.Variable(1.0, trainable=False, name="reweights")  # 1: yes, 0: no

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return one loss per example."""
        is_true, scores = sparse_inputs(y_true, y_pred)
        weight = class_factor(self.class_weights, is_true, scores, "class_counts")
        loss = self.loss.call(y_true, y_pred)
        return ops.where(self.reweights > 0, weight, 1.0) * loss

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, the other loss in Keras's own form."""
        return {**super().get_config(), "loss": keras.saving.serialize_keras_object(self.loss)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> DeferredReweighting:
        """Return the loss of a config."""
        loss = keras.saving.deserialize_keras_object(config["loss"])
        return cls(**{**config, "loss": loss})


class ReweightingSchedule(keras.callbacks.Callback):
    r"""Takes the weights of a model's `DeferredReweighting` away until epoch $T_0$.

    It sets the loss anew in each epoch, so a training that goes on at a later epoch is where an
    uninterrupted one would be.

    Raises:
        ValueError: The model is compiled with another loss; or on JAX without `jit_compile=False`,
            since its compiled steps keep the first value.

    Example:
        >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
        >>> loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        >>> model.compile("adam", DeferredReweighting(loss, class_counts=[6, 2]))
        >>> x, y = ops.ones((8, 4)), ops.convert_to_tensor([0] * 6 + [1] * 2)
        >>> history = model.fit(x, y, epochs=5, verbose=0, callbacks=[ReweightingSchedule()])
    """

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Refuse a model that cannot be scheduled."""
        loss = self.model.loss
        if not isinstance(loss, DeferredReweighting):
            raise ValueError(f"The model's loss must be a DeferredReweighting. Got {loss!r}.")
        if keras.config.backend() == "jax" and self.model.jit_compile:
            raise ValueError("On JAX a ReweightingSchedule needs compile(..., jit_compile=False).")

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Set whether the epoch, counted from 0, has weights."""
        loss = self.model.loss
        self._set(epoch >= math.floor(loss.defer * self.params["epochs"]))

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Validation has weights."""
        self._set(True)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """An evaluation after the training has weights."""
        self._set(True)

    def _set(self, reweights: bool) -> None:
        self.model.loss.reweights.assign(float(reweights))
