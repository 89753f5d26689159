r"""Focal loss for integer labels and for binary targets, as functions and as Keras losses.

$$FL(p_t) = -\alpha\,(1 - p_t)^\gamma \log(p_t)$$

Lin et al. 2017, "Focal Loss for Dense Object Detection", ICCV.
"""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from .arguments import PACKAGE, Alpha, check_alpha, check_class_axis, check_gamma
from .margin import focal_term, nan_unless, sparse_inputs, true_class_margin, widen


def _focal_from_probability(p_t: tf.Tensor, gamma: float | tf.Variable) -> tf.Tensor:
    """Return the focal term of a probability, kept within Keras's epsilon of 0 and 1."""
    epsilon = keras.config.epsilon()
    p_t = tf.clip_by_value(p_t, epsilon, 1 - epsilon)
    return tf.pow(1 - p_t, gamma) * -tf.math.log(p_t)


@keras.saving.register_keras_serializable(package=PACKAGE)
def sparse_categorical_focal_loss(
    y_true: Any,
    y_pred: Any,
    gamma: float = 2.0,
    alpha: Alpha = 0.25,
    from_logits: bool = True,
) -> tf.Tensor:
    r"""$FL(p_t) = -\alpha\,(1 - p_t)^\gamma \log(p_t)$ for K classes and integer labels.

    $p_t$ is the softmax probability of the true class. With gamma 0 and alpha 1 it is
    cross-entropy.

    Args:
        y_true: Integer classes 0..K-1, shape `(batch,)` or `(batch, 1)`; more dimensions in
            between are positions of one example. Other values give NaN.
        y_pred: Floats, shape `(batch, K)` or `(batch, ..., K)`: logits, or probabilities, which
            are divided by their sum and kept within `keras.config.epsilon()` of 0 and 1.
            Half precision is computed, and returned, in float32.
        gamma: Focusing parameter, finite and >= 0. Defaults to 2.0.
        alpha: Factor of every example (> 0), a sequence of K such factors, one a class, or None
            for 1. Defaults to 0.25, which multiplies every loss alike.
        from_logits: Whether `y_pred` holds logits. Defaults to True.

    Returns:
        Losses, shape `(batch,)` or `(batch, ...)`.

    Raises:
        ValueError: A parameter or a shape is not as above.

    Source: Lin et al. 2017, "Focal Loss for Dense Object Detection", equations (4) and (5).

    Example:
        >>> loss = sparse_categorical_focal_loss([0, 2], [[2.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
        >>> loss.shape
        TensorShape([2])
    """
    return _sparse_focal(y_true, y_pred, check_gamma(gamma), check_alpha(alpha), from_logits)


def _sparse_focal(
    y_true: Any,
    y_pred: Any,
    gamma: float | tf.Variable,
    alpha: float | list[float] | tf.Variable | None,
    from_logits: bool,
) -> tf.Tensor:
    """The focal loss of K classes for a gamma and an alpha that are right."""
    labels, known, scores = sparse_inputs(y_true, y_pred)
    if from_logits:
        loss = focal_term(true_class_margin(labels, scores), gamma)
    else:
        p_t = tf.gather(scores, labels, axis=-1, batch_dims=labels.shape.rank)
        loss = _focal_from_probability(p_t / tf.reduce_sum(scores, axis=-1), gamma)
    loss = nan_unless(known, loss)
    if alpha is not None:
        factor = tf.convert_to_tensor(alpha, loss.dtype)
        if factor.shape.rank:
            check_class_axis("alpha", factor.shape[0], scores.shape[-1])
            factor = tf.gather(factor, labels)
        loss *= factor
    return loss


@keras.saving.register_keras_serializable(package=PACKAGE)
def binary_focal_loss(
    y_true: Any,
    y_pred: Any,
    gamma: float = 2.0,
    alpha: Alpha = 0.25,
    from_logits: bool = True,
) -> tf.Tensor:
    r"""$FL(p_t) = -\alpha\,(1 - p_t)^\gamma \log(p_t)$ for targets 0 and 1 and one score each.

    $p_t = \sigma(x)$ for target 1 and $1 - \sigma(x)$ for target 0.

    A scalar alpha multiplies every example, as in the formula. Two values weight the classes,
    `(alpha_0, alpha_1)`: the paper's alpha-balanced loss, and Keras's
    `BinaryFocalCrossentropy(apply_class_balancing=True, alpha=a)`, is `alpha=(1 - a, a)` here;
    Keras's default, `apply_class_balancing=False`, is `alpha=None`.

    Args:
        y_true: Targets 0 or 1, shape `(batch,)`, `(batch, 1)` or that of `y_pred`, any dtype.
            Other values, soft targets among them, give NaN.
        y_pred: Floats, shape `(batch,)` or `(batch, 1)`: logits, or probabilities, which are
            kept within `keras.config.epsilon()` of 0 and 1. With `(batch, ..., D)` the last axis
            holds D independent targets, over which the loss is averaged, as in Keras.
            Half precision is computed, and returned, in float32.
        gamma: Focusing parameter, finite and >= 0. Defaults to 2.0.
        alpha: Factor of every example (> 0), a pair of such factors, or None for 1. Defaults
            to 0.25.
        from_logits: Whether `y_pred` holds logits. Defaults to True.

    Returns:
        Losses, shape `(batch,)`, or `(batch, ...)` without the last dimension of `y_pred`.

    Raises:
        ValueError: A parameter or a shape is not as above.

    Source: Lin et al. 2017, "Focal Loss for Dense Object Detection", equations (2) to (5).

    Example:
        >>> loss = binary_focal_loss([0, 1], [[-1.0], [3.0]], alpha=(0.75, 0.25))
        >>> loss.shape
        TensorShape([2])
    """
    return _binary_focal(y_true, y_pred, check_gamma(gamma), _check_pair(alpha), from_logits)


def _check_pair(alpha: Alpha) -> float | list[float] | None:
    """Return alpha as None, a float or a pair of them, or raise ValueError."""
    checked = check_alpha(alpha)
    if isinstance(checked, list) and len(checked) != 2:
        raise ValueError(f"`alpha` must be one number or two, (alpha_0, alpha_1). Got {checked}.")
    return checked


def _binary_focal(
    y_true: Any,
    y_pred: Any,
    gamma: float | tf.Variable,
    alpha: float | list[float] | tf.Variable | None,
    from_logits: bool,
) -> tf.Tensor:
    """The focal loss of binary targets for a gamma and an alpha that are right."""
    scores, targets = widen(y_pred), tf.convert_to_tensor(y_true)
    if targets.shape.rank == scores.shape.rank - 1 and scores.shape[-1] == 1:
        scores = tf.squeeze(scores, -1)
    elif targets.shape.rank == scores.shape.rank + 1 and targets.shape[-1] == 1:
        targets = tf.squeeze(targets, -1)
    if targets.shape.rank != scores.shape.rank or not targets.shape.is_compatible_with(
        scores.shape
    ):
        raise ValueError(
            f"y_true must hold targets 0 and 1 in the shape of y_pred, {tuple(scores.shape)} (a "
            f"last dimension of 1 may be left out). Got {tuple(targets.shape)}."
        )
    positive, known = targets == 1, (targets == 0) | (targets == 1)
    if from_logits:
        loss = focal_term(tf.where(positive, scores, -scores), gamma)
    else:
        loss = _focal_from_probability(tf.where(positive, scores, 1 - scores), gamma)
    loss = nan_unless(known, loss)
    if alpha is not None:
        factor = tf.convert_to_tensor(alpha, loss.dtype)
        loss *= tf.where(positive, factor[1], factor[0]) if factor.shape.rank else factor
    return tf.reduce_mean(loss, axis=-1) if loss.shape.rank > 1 else loss


class _FocalLoss(keras.losses.Loss):
    """Constructor, config and graph numbers that both focal losses share."""

    def __init__(
        self,
        gamma: float = 2.0,
        alpha: Alpha = 0.25,
        from_logits: bool = True,
        *,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.gamma = check_gamma(gamma)
        self.alpha = check_alpha(alpha)
        self.from_logits = bool(from_logits)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        own = {"gamma": self.gamma, "alpha": self.alpha, "from_logits": self.from_logits}
        return {**super().get_config(), **own, "dtype": self.dtype}

    def _graph_numbers(self) -> dict[str, float | list[float]]:
        """Gamma and alpha; for probabilities alpha alone: a power of 2 is another operation."""
        found: dict[str, float | list[float]] = {"gamma": self.gamma} if self.from_logits else {}
        return found if self.alpha is None else {**found, "alpha": self.alpha}


@keras.saving.register_keras_serializable(package=PACKAGE)
class SparseCategoricalFocalLoss(_FocalLoss):
    r"""$FL(p_t) = -\alpha\,(1 - p_t)^\gamma \log(p_t)$ for K classes and integer labels.

    The Keras loss of `sparse_categorical_focal_loss`, which says what the shapes are.

    Args:
        gamma: Focusing parameter, finite and >= 0. Defaults to 2.0.
        alpha: Factor of every example (> 0), K such factors, or None for 1. Defaults to 0.25.
        from_logits: Whether `y_pred` holds logits. Defaults to True.
        reduction: As in `keras.losses.Loss`. Defaults to "sum_over_batch_size".
        name: Name of the loss.
        dtype: Dtype of the loss; defaults to `keras.config.floatx()`. Keras casts the labels to
            it too, so half precision garbles labels beyond 256 (bfloat16) or 2048 (float16).

    Raises:
        ValueError: `gamma` or `alpha` is not as above.

    Source: Lin et al. 2017, "Focal Loss for Dense Object Detection", equations (4) and (5).

    Example:
        >>> loss = SparseCategoricalFocalLoss(gamma=2.0, alpha=[0.25, 0.75])
        >>> float(loss([0, 1], [[3.0, 0.0], [0.0, 0.0]])) > 0
        True
    """

    def __init__(
        self,
        gamma: float = 2.0,
        alpha: Alpha = 0.25,
        from_logits: bool = True,
        *,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "sparse_categorical_focal_loss",
        dtype: Any = None,
    ) -> None:
        super().__init__(gamma, alpha, from_logits, reduction=reduction, name=name, dtype=dtype)

    def call(self, y_true: Any, y_pred: Any) -> tf.Tensor:
        """Return one loss an example; see `sparse_categorical_focal_loss`."""
        return _sparse_focal(y_true, y_pred, self.gamma, self.alpha, self.from_logits)

    def graph_numbers(self) -> dict[str, float | list[float]]:
        """Return what a graph may hold in variables: gamma and alpha."""
        return self._graph_numbers()


@keras.saving.register_keras_serializable(package=PACKAGE)
class BinaryFocalLoss(_FocalLoss):
    r"""$FL(p_t) = -\alpha\,(1 - p_t)^\gamma \log(p_t)$ for targets 0 and 1 and one score each.

    The Keras loss of `binary_focal_loss`, which says what the shapes are and how alpha compares
    with Keras's `apply_class_balancing`.

    Args:
        gamma: Focusing parameter, finite and >= 0. Defaults to 2.0.
        alpha: Factor of every example (> 0), a pair (alpha_0, alpha_1), or None for 1. Defaults
            to 0.25.
        from_logits: Whether `y_pred` holds logits. Defaults to True.
        reduction: As in `keras.losses.Loss`. Defaults to "sum_over_batch_size".
        name: Name of the loss.
        dtype: Dtype of the loss; defaults to `keras.config.floatx()`.

    Raises:
        ValueError: `gamma` or `alpha` is not as above.

    Source: Lin et al. 2017, "Focal Loss for Dense Object Detection", equations (2) to (5).

    Example:
        >>> loss = BinaryFocalLoss(gamma=2.0, alpha=(0.75, 0.25))
        >>> float(loss([0, 1], [-3.0, 0.0])) > 0
        True
    """

    def __init__(
        self,
        gamma: float = 2.0,
        alpha: Alpha = 0.25,
        from_logits: bool = True,
        *,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "binary_focal_loss",
        dtype: Any = None,
    ) -> None:
        super().__init__(gamma, alpha, from_logits, reduction=reduction, name=name, dtype=dtype)
        _check_pair(self.alpha)

    def call(self, y_true: Any, y_pred: Any) -> tf.Tensor:
        """Return one loss an example; see `binary_focal_loss`."""
        return _binary_focal(y_true, y_pred, self.gamma, self.alpha, self.from_logits)

    def graph_numbers(self) -> dict[str, float | list[float]]:
        """Return what a graph may hold in variables: gamma and alpha."""
        return self._graph_numbers()
