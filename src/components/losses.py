r"""Focal loss for integer labels and for binary targets, as Keras losses and as functions.

$$FL(p_t) = -\alpha\,(1 - p_t)^\gamma \log(p_t)$$

Lin et al. 2017, "Focal Loss for Dense Object Detection", ICCV.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from .arguments import PACKAGE, Alpha, ConfiguredLoss, check_alpha, check_not_negative
from .margin import class_factor, focal, same_shape, sparse_inputs, true_class_margin, widen


@keras.saving.register_keras_serializable(package=PACKAGE)
class SparseCategoricalFocalLoss(ConfiguredLoss):
    r"""$FL(p_t) = -\alpha\,(1 - p_t)^\gamma \log(p_t)$ for K classes and integer labels.

    $p_t$ is the softmax probability of the true class. With gamma 0 and alpha 1 it is
    cross-entropy.

    Labels have shape `(batch,)` or `(batch, 1)`; more dimensions in between are positions of one
    example. Labels other than 0..K-1 give NaN. Scores have shape `(batch, K)` or
    `(batch, ..., K)`, the losses before the reduction `(batch,)` or `(batch, ...)`. Half precision
    is computed in float32.

    Args:
        gamma: Focusing parameter, finite and >= 0. Defaults to 2.0.
        alpha: Factor of every example (> 0), a list of K such factors, one per class, or None
            for 1. Defaults to 0.25, which multiplies every loss alike.
        from_logits: Whether the scores are logits; probabilities otherwise, none of which counts
            as less than `keras.config.epsilon()`. Defaults to True.
        name: Name of the loss.
        **kwargs: `reduction` and `dtype`, as in `keras.losses.Loss`. Keras casts the labels to
            the dtype too, so half precision garbles labels beyond 256 (bfloat16) or 2048
            (float16).

    Raises:
        ValueError: `gamma`, `alpha` or a shape is not as above.

    Source: Lin et al. 2017, "Focal Loss for Dense Object Detection", equations (4) and (5).

    Example:
        >>> loss = SparseCategoricalFocalLoss(gamma=2.0, alpha=[0.25, 0.75])
        >>> round(float(loss([0, 1], [[3.0, 0.0], [0.0, 0.0]])), 4)
        0.065
    """

    arguments = ("gamma", "alpha", "from_logits")

    def __init__(
        self,
        gamma: float = 2.0,
        alpha: Alpha = 0.25,
        from_logits: bool = True,
        *,
        name: str | None = "sparse_categorical_focal_loss",
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        self.gamma, self.alpha = check_not_negative(gamma, "gamma"), check_alpha(alpha)
        self.from_logits = bool(from_logits)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return one loss per example."""
        is_true, scores = sparse_inputs(y_true, y_pred)
        if not self.from_logits:  # whose softmax is the probabilities again
            scores = ops.log(ops.maximum(scores, keras.config.epsilon()))
        loss = focal(true_class_margin(is_true, scores), self.gamma)
        if self.alpha is None:
            return loss
        return class_factor(self.alpha, is_true, scores, "alpha") * loss


@keras.saving.register_keras_serializable(package=PACKAGE)
class BinaryFocalLoss(ConfiguredLoss):
    r"""$FL(p_t) = -\alpha\,(1 - p_t)^\gamma \log(p_t)$ for targets 0 and 1 and one score each.

    $p_t = \sigma(x)$ for target 1 and $1 - \sigma(x)$ for target 0.

    A scalar alpha multiplies every example, as in the formula. Two values weight the classes,
    `(alpha_0, alpha_1)`: the paper's alpha-balanced loss, and Keras's
    `BinaryFocalCrossentropy(apply_class_balancing=True, alpha=a)`, is `alpha=(1 - a, a)` here;
    Keras's default, `apply_class_balancing=False`, is `alpha=None`.

    Targets have the shape of the scores, `(batch,)` or `(batch, 1)`, in which the last dimension
    of 1 may be left out. With `(batch, ..., D)` the last axis holds D independent targets, over
    which the loss is averaged, as in Keras. Targets other than 0 and 1, soft ones among them, give
    NaN. Half precision is computed in float32.

    Args:
        gamma: Focusing parameter, finite and >= 0. Defaults to 2.0.
        alpha: Factor of every example (> 0), a pair of such factors, or None for 1. Defaults
            to 0.25.
        from_logits: Whether the scores are logits; probabilities otherwise, kept within
            `keras.config.epsilon()` of 0 and 1. Defaults to True.
        name, **kwargs: As in `keras.losses.Loss`.

    Raises:
        ValueError: `gamma`, `alpha` or a shape is not as above.

    Source: Lin et al. 2017, "Focal Loss for Dense Object Detection", equations (2) to (5).

    Example:
        >>> loss = BinaryFocalLoss(gamma=2.0, alpha=(0.75, 0.25))
        >>> round(float(loss([0, 1], [-3.0, 0.0])), 4)
        0.0217
    """

    arguments = ("gamma", "alpha", "from_logits")

    def __init__(
        self,
        gamma: float = 2.0,
        alpha: Alpha = 0.25,
        from_logits: bool = True,
        *,
        name: str | None = "binary_focal_loss",
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        self.gamma, self.alpha = check_not_negative(gamma, "gamma"), check_alpha(alpha)
        if isinstance(self.alpha, list) and len(self.alpha) != 2:
            raise ValueError(
                f"`alpha` must be one number or two, (alpha_0, alpha_1). Got {self.alpha}."
            )
        self.from_logits = bool(from_logits)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return one loss per example."""
        targets, scores = binary_inputs(y_true, y_pred)
        if not self.from_logits:
            epsilon = keras.config.epsilon()
            scores = ops.clip(scores, epsilon, 1 - epsilon)
            scores = ops.log(scores) - ops.log1p(-scores)
        softmax_logits = ops.stack([ops.zeros_like(scores), scores], axis=-1)
        is_true = ops.stack([targets == 0, targets == 1], axis=-1)
        loss = focal(true_class_margin(is_true, softmax_logits), self.gamma)
        if self.alpha is not None:
            loss = class_factor(self.alpha, is_true, softmax_logits, "alpha") * loss
        return ops.mean(loss, axis=-1) if len(loss.shape) > 1 else loss


def binary_inputs(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Return targets and scores in one shape, or raise ValueError."""
    targets, scores = ops.convert_to_tensor(y_true), widen(y_pred)
    if len(targets.shape) == len(scores.shape) - 1 and scores.shape[-1] == 1:
        scores = ops.squeeze(scores, -1)
    elif len(targets.shape) == len(scores.shape) + 1 and targets.shape[-1] == 1:
        targets = ops.squeeze(targets, -1)
    if not same_shape(targets.shape, scores.shape):
        raise ValueError(
            f"y_true must hold targets 0 and 1 in the shape of y_pred, {tuple(scores.shape)} (a "
            f"last dimension of 1 may be left out). Got {tuple(targets.shape)}."
        )
    return targets, scores


@keras.saving.register_keras_serializable(package=PACKAGE)
def sparse_categorical_focal_loss(
    y_true: Any,
    y_pred: Any,
    gamma: float = 2.0,
    alpha: Alpha = 0.25,
    from_logits: bool = True,
) -> Any:
    r"""$FL(p_t) = -\alpha\,(1 - p_t)^\gamma \log(p_t)$ for K classes and integer labels.

    `SparseCategoricalFocalLoss` as a function: its shapes, arguments and errors.

    Returns:
        Losses, shape `(batch,)` or `(batch, ...)`, at least float32.

    Example:
        >>> losses = sparse_categorical_focal_loss([0, 2], [[2.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
        >>> tuple(losses.shape)
        (2,)
    """
    return SparseCategoricalFocalLoss(gamma, alpha, from_logits).call(y_true, y_pred)


@keras.saving.register_keras_serializable(package=PACKAGE)
def binary_focal_loss(
    y_true: Any,
    y_pred: Any,
    gamma: float = 2.0,
    alpha: Alpha = 0.25,
    from_logits: bool = True,
) -> Any:
    r"""$FL(p_t) = -\alpha\,(1 - p_t)^\gamma \log(p_t)$ for targets 0 and 1 and one score each.

    `BinaryFocalLoss` as a function: its shapes, arguments and errors.

    Returns:
        Losses, shape `(batch,)`, or `(batch, ...)` without the last dimension of `y_pred`.

    Example:
        >>> losses = binary_focal_loss([0, 1], [[-1.0], [3.0]], alpha=(0.75, 0.25))
        >>> tuple(losses.shape)
        (2,)
    """
    return BinaryFocalLoss(gamma, alpha, from_logits).call(y_true, y_pred)
