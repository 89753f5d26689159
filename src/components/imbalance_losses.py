r"""Losses made for imbalanced classes, to hold focal loss against: integer labels, logits.

All take `y_true` of shape `(batch,)` or `(batch, 1)` and `y_pred` of shape `(batch, K)`, give one
loss an example, and are computed from the true class's margin
$z = x_t - \log \sum_{j \ne t} e^{x_j}$, in which cross-entropy is $\mathrm{softplus}(-z)$. A
label outside 0..K-1 gives NaN.

`class_counts` is always the number of training examples of each class, in the order of the
classes: plain positive integers, so that a saved loss carries what it was made from.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import keras
import tensorflow as tf

from .arguments import (
    PACKAGE,
    check_class_axis,
    check_counts,
    check_gamma,
    check_share,
    check_weights,
    is_finite,
)
from .margin import focal_term, nan_unless, sparse_inputs, true_class_margin


class _ClassLoss(keras.losses.Loss):
    """A loss with one constant a class: labels and logits checked, then `per_example`."""

    def __init__(
        self,
        name: str | None,
        reduction: str | None,
        dtype: Any,
        class_counts: Iterable[int] | None = None,
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.class_counts = None if class_counts is None else check_counts(class_counts)
        self.per_class: list[float] = []

    def call(self, y_true: Any, y_pred: Any) -> tf.Tensor:
        """Return one loss an example, shape `(batch,)`."""
        labels, known, logits = sparse_inputs(y_true, y_pred)
        given = "weights" if self.class_counts is None else "class_counts"
        constants = tf.convert_to_tensor(self.per_class, logits.dtype)
        check_class_axis(given, constants.shape[0], logits.shape[-1])
        return nan_unless(known, self.per_example(labels, logits, constants))

    def per_example(self, labels: tf.Tensor, logits: tf.Tensor, constants: tf.Tensor) -> tf.Tensor:
        """Return the losses for labels in 0..K-1 and the K constants of the classes."""
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "class_counts": self.class_counts, "dtype": self.dtype}


@keras.saving.register_keras_serializable(package=PACKAGE)
class ClassWeightedCrossentropy(_ClassLoss):
    r"""$-w_t \log p_t$ with $w_c = n / (K n_c)$, or with weights of your own.

    The weights are those of scikit-learn's `class_weight="balanced"`: examples weigh 1 on
    average and each class weighs the same in total.

    Args:
        class_counts: Training examples of each class, K whole numbers > 0.
        weights: One factor > 0 a class, instead of `class_counts`.
        reduction: As in `keras.losses.Loss`. Defaults to "sum_over_batch_size".
        name: Name of the loss.
        dtype: Dtype of the loss; defaults to `keras.config.floatx()`.

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

    only_in_graph_numbers = ("class_counts", "weights")

    def __init__(
        self,
        class_counts: Iterable[int] | None = None,
        weights: Iterable[float] | None = None,
        *,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "class_weighted_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(name, reduction, dtype, class_counts)
        if (class_counts is None) == (weights is None):
            raise ValueError(
                "Give exactly one of `class_counts` and `weights`. "
                f"Got class_counts={class_counts!r}, weights={weights!r}."
            )
        self.weights = None if weights is None else check_weights(weights, "weights")
        counts = self.class_counts or []
        total = sum(counts)
        self.per_class = self.weights or [total / (len(counts) * count) for count in counts]

    def per_example(self, labels: tf.Tensor, logits: tf.Tensor, constants: tf.Tensor) -> tf.Tensor:
        """Return the weighted cross-entropies."""
        return tf.gather(constants, labels) * focal_term(true_class_margin(labels, logits), 0.0)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "weights": self.weights}

    def graph_numbers(self) -> dict[str, float | list[float]]:
        """Return what a graph may hold in variables: the weights."""
        return {"per_class": self.per_class}


@keras.saving.register_keras_serializable(package=PACKAGE)
class ClassBalancedFocalLoss(_ClassLoss):
    r"""$-w_t (1 - p_t)^\gamma \log p_t$ with $w_c \propto 1 / E_{n_c}$.

    $E_n = (1 - \beta^n) / (1 - \beta)$ is the effective number of examples: with beta near 1 it is
    n, and the weights are the inverse frequencies; with beta 0 it is 1, and all classes weigh the
    same. The weights are scaled to sum to K, as in the paper.

    The paper takes $p_t$ from K independent sigmoids and sums over the classes; here it is the
    softmax probability, so that it differs from focal loss in its weights and in nothing else.

    Args:
        class_counts: Training examples of each class, K whole numbers > 0.
        beta: 0 <= beta < 1; the paper takes 0.9, 0.99, 0.999 and 0.9999. Defaults to 0.999.
        gamma: Focusing parameter, finite and >= 0; 0 gives class-balanced cross-entropy.
            Defaults to 2.0.
        reduction: As in `keras.losses.Loss`. Defaults to "sum_over_batch_size".
        name: Name of the loss.
        dtype: Dtype of the loss; defaults to `keras.config.floatx()`.

    Raises:
        ValueError: An argument is not as above.

    Source: Cui et al. 2019, "Class-Balanced Loss Based on Effective Number of Samples", CVPR,
    proposition 1 (effective number) and section 4 (class-balanced loss).

    Example:
        >>> loss = ClassBalancedFocalLoss(class_counts=[950, 50], beta=0.999)
        >>> [round(w, 4) for w in loss.per_class]
        [0.1474, 1.8526]
    """

    only_in_graph_numbers = ("class_counts", "beta")

    def __init__(
        self,
        class_counts: Iterable[int],
        beta: float = 0.999,
        gamma: float = 2.0,
        *,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "class_balanced_focal_loss",
        dtype: Any = None,
    ) -> None:
        super().__init__(name, reduction, dtype, class_counts)
        self.beta, self.gamma = check_share(beta, "beta"), check_gamma(gamma)
        counts = self.class_counts or []
        # 1 - beta^n without cancellation.
        seen = [-math.expm1(n * math.log(self.beta)) if self.beta > 0 else 1.0 for n in counts]
        inverse = [1 / value for value in seen]
        self.per_class = [len(counts) * value / sum(inverse) for value in inverse]

    def per_example(self, labels: tf.Tensor, logits: tf.Tensor, constants: tf.Tensor) -> tf.Tensor:
        """Return the weighted focal losses."""
        margin = true_class_margin(labels, logits)
        return tf.gather(constants, labels) * focal_term(margin, self.gamma)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "beta": self.beta, "gamma": self.gamma}

    def graph_numbers(self) -> dict[str, float | list[float]]:
        """Return what a graph may hold in variables: the weights and gamma."""
        return {"per_class": self.per_class, "gamma": self.gamma}


@keras.saving.register_keras_serializable(package=PACKAGE)
class LogitAdjustedCrossentropy(_ClassLoss):
    r"""Cross-entropy of $x_c + \tau \log \pi_c$, with $\pi_c$ the share of class c in training.

    A rare class must win by $\tau \log(\pi_j / \pi_t)$ in training, so the unadjusted logits, by
    which the model predicts, are those of balanced classes: with tau 1 the loss is consistent
    for balanced accuracy.

    Args:
        class_counts: Training examples of each class, K whole numbers > 0.
        tau: Strength of the adjustment, finite and >= 0; 0 is cross-entropy. Defaults to 1.0.
        reduction: As in `keras.losses.Loss`. Defaults to "sum_over_batch_size".
        name: Name of the loss.
        dtype: Dtype of the loss; defaults to `keras.config.floatx()`.

    Raises:
        ValueError: An argument is not as above.

    Source: Menon et al. 2021, "Long-tail learning via logit adjustment", ICLR, equation (10).

    Example:
        >>> loss = LogitAdjustedCrossentropy(class_counts=[90, 10])
        >>> round(float(loss([1], [[0.0, 0.0]])), 4)  # -log 0.1
        2.3026
    """

    only_in_graph_numbers = ("class_counts", "tau")

    def __init__(
        self,
        class_counts: Iterable[int],
        tau: float = 1.0,
        *,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "logit_adjusted_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(name, reduction, dtype, class_counts)
        self.tau = check_gamma(tau, "tau")
        counts = self.class_counts or []
        self.per_class = [self.tau * math.log(count / sum(counts)) for count in counts]

    def per_example(self, labels: tf.Tensor, logits: tf.Tensor, constants: tf.Tensor) -> tf.Tensor:
        """Return the cross-entropies of the adjusted logits."""
        return focal_term(true_class_margin(labels, logits + constants), 0.0)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "tau": self.tau}

    def graph_numbers(self) -> dict[str, float | list[float]]:
        """Return what a graph may hold in variables: the adjustments."""
        return {"per_class": self.per_class}


@keras.saving.register_keras_serializable(package=PACKAGE)
class LDAMLoss(_ClassLoss):
    r"""Cross-entropy of $s\,(x_c - \Delta_c [c = t])$, $\Delta_c = C\,n_c^{-1/4}$: wider margins.

    C is chosen so that the rarest class has the margin `max_margin`.

    Made for cosines: in the paper the features and the weights of the last layer have norm 1, so
    that each $x_c$ lies in [-1, 1], a margin of 0.5 means the same for every example, and the
    scale s gives the softmax its range. Use it on a cosine classifier that does no scaling of its
    own. On ordinary logits it runs, but the model can undo the margins by growing its weights,
    and the scale multiplies gradients by 30.

    Args:
        class_counts: Training examples of each class, K whole numbers > 0.
        max_margin: Margin of the rarest class, finite and >= 0. Defaults to 0.5.
        scale: Factor s of all logits, finite and > 0. Defaults to 30.0.
        reduction: As in `keras.losses.Loss`. Defaults to "sum_over_batch_size".
        name: Name of the loss.
        dtype: Dtype of the loss; defaults to `keras.config.floatx()`.

    Raises:
        ValueError: An argument is not as above.

    Source: Cao et al. 2019, "Learning Imbalanced Datasets with Label-Distribution-Aware Margin
    Loss", NeurIPS, section 3.2 (margins and the LDAM loss).

    Example:
        >>> LDAMLoss(class_counts=[1600, 100], max_margin=0.5).per_class
        [0.25, 0.5]
    """

    only_in_graph_numbers = ("class_counts", "max_margin")

    def __init__(
        self,
        class_counts: Iterable[int],
        max_margin: float = 0.5,
        scale: float = 30.0,
        *,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "ldam_loss",
        dtype: Any = None,
    ) -> None:
        super().__init__(name, reduction, dtype, class_counts)
        if not is_finite(scale) or scale <= 0:
            raise ValueError(f"`scale` must be a finite number > 0. Got {scale!r}.")
        self.max_margin, self.scale = check_gamma(max_margin, "max_margin"), float(scale)
        counts = self.class_counts or []
        self.per_class = [self.max_margin * (min(counts) / count) ** 0.25 for count in counts]

    def per_example(self, labels: tf.Tensor, logits: tf.Tensor, constants: tf.Tensor) -> tf.Tensor:
        """Return the cross-entropies with margins."""
        margin = true_class_margin(labels, self.scale * logits)
        return focal_term(margin - self.scale * tf.gather(constants, labels), 0.0)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "max_margin": self.max_margin, "scale": self.scale}

    def graph_numbers(self) -> dict[str, float | list[float]]:
        """Return what a graph may hold in variables: the margins and the scale."""
        return {"per_class": self.per_class, "scale": self.scale}
