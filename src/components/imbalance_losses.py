r"""Losses made for imbalanced classes, to hold focal loss against: integer labels, logits.

All take `y_true` of shape `(batch,)` or `(batch, 1)` and `y_pred` of shape `(batch, K)`, give one
loss per example, shape `(batch,)`, and are computed from the true class's margin
$z = x_t - \log \sum_{j \ne t} e^{x_j}$, in which cross-entropy is $\mathrm{softplus}(-z)$. A
label other than 0..K-1 gives NaN.

`class_counts` is always the number of training examples of each class, in the order of the
classes: plain positive integers, so that a saved loss carries what it was made from.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import keras
from keras import ops

from .arguments import (
    PACKAGE,
    ConfiguredLoss,
    check_counts,
    check_not_negative,
    check_positive,
    check_share,
)
from .class_weights import effective_number_weights
from .margin import (
    class_factor,
    class_values,
    cross_entropy,
    focal,
    sparse_inputs,
    true_class_margin,
)


@keras.saving.register_keras_serializable(package=PACKAGE)
class ClassBalancedFocalLoss(ConfiguredLoss):
    r"""$-w_t (1 - p_t)^\gamma \log p_t$ with $w_c \propto 1 / E_{n_c}$.

    $E_n = (1 - \beta^n) / (1 - \beta)$ is the effective number of examples: n with beta near 1
    (weights by inverse frequency), 1 with beta 0 (equal weights). The weights sum to K, as in the
    paper. The paper takes $p_t$ from K independent sigmoids and sums over the classes; here it is
    the softmax probability, so that only the weights differ from focal loss.

    Args:
        class_counts: Training examples of each class, K whole numbers > 0.
        beta: 0 <= beta < 1; the paper takes 0.9, 0.99, 0.999 and 0.9999. Defaults to 0.999.
        gamma: Focusing parameter, finite and >= 0; 0 gives class-balanced cross-entropy.
            Defaults to 2.0.
        name, **kwargs: As in `keras.losses.Loss`.

    Raises:
        ValueError: An argument is not as above.

    Source: Cui et al. 2019, "Class-Balanced Loss Based on Effective Number of Samples", CVPR,
    proposition 1 (effective number) and section 4 (class-balanced loss).

    Example:
        >>> loss = ClassBalancedFocalLoss(class_counts=[950, 50], beta=0.999)
        >>> [round(w, 4) for w in loss.class_weights]
        [0.1474, 1.8526]
    """

    arguments = ("class_counts", "beta", "gamma")

    def __init__(
        self,
        class_counts: Iterable[int],
        beta: float = 0.999,
        gamma: float = 2.0,
        *,
        name: str | None = "class_balanced_focal_loss",
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        self.class_counts = check_counts(class_counts)
        self.beta, self.gamma = check_share(beta, "beta"), check_not_negative(gamma, "gamma")
        self.class_weights = effective_number_weights(self.class_counts, self.beta)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return one loss per example."""
        is_true, logits = sparse_inputs(y_true, y_pred)
        weight = class_factor(self.class_weights, is_true, logits, "class_counts")
        return weight * focal(true_class_margin(is_true, logits), self.gamma)


@keras.saving.register_keras_serializable(package=PACKAGE)
class LogitAdjustedCrossentropy(ConfiguredLoss):
    r"""Cross-entropy of $x_c + \tau \log \pi_c$, with $\pi_c$ the share of class c in training.

    A rare class must win by $\tau \log(\pi_j / \pi_t)$ in training, so the unadjusted logits, by
    which the model predicts, are those of balanced classes: with tau 1 the loss is consistent
    for balanced accuracy.

    Args:
        class_counts: Training examples of each class, K whole numbers > 0.
        tau: Strength, finite and >= 0; 0 is cross-entropy. Defaults to 1.0.
        name, **kwargs: As in `keras.losses.Loss`.

    Raises:
        ValueError: An argument is not as above.

    Source: Menon et al. 2021, "Long-tail learning via logit adjustment", ICLR, equation (10).

    Example:
        >>> loss = LogitAdjustedCrossentropy(class_counts=[90, 10])
        >>> round(float(loss([1], [[0.0, 0.0]])), 4)  # -log 0.1
        2.3026
    """

    arguments = ("class_counts", "tau")

    def __init__(
        self,
        class_counts: Iterable[int],
        tau: float = 1.0,
        *,
        name: str | None = "logit_adjusted_crossentropy",
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        self.class_counts, self.tau = check_counts(class_counts), check_not_negative(tau, "tau")
        total = sum(self.class_counts)
        self.adjustments = [self.tau * math.log(count / total) for count in self.class_counts]

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return one loss per example."""
        is_true, logits = sparse_inputs(y_true, y_pred)
        adjusted = logits + class_values(self.adjustments, logits, "class_counts")
        return cross_entropy(true_class_margin(is_true, adjusted))


@keras.saving.register_keras_serializable(package=PACKAGE)
class LDAMLoss(ConfiguredLoss):
    r"""Cross-entropy of $s\,(x_c - \Delta_c [c = t])$, $\Delta_c = C\,n_c^{-1/4}$: wider margins.

    C is chosen so that the rarest class has the margin `max_margin`.

    Made for cosines: in the paper each $x_c$ lies in [-1, 1], so that a margin of 0.5 means the
    same for every example. Use it on a cosine classifier that does no scaling of its own. On
    ordinary logits the model can undo the margins by growing its weights, and the scale multiplies
    gradients by 30. The paper's method is this loss in a `DeferredReweighting`.

    Args:
        class_counts: Training examples of each class, K whole numbers > 0.
        max_margin: Margin of the rarest class, finite and >= 0. Defaults to 0.5.
        scale: Factor s of all logits, finite and > 0. Defaults to 30.0.
        name, **kwargs: As in `keras.losses.Loss`.

    Raises:
        ValueError: An argument is not as above.

    Source: Cao et al. 2019, "Learning Imbalanced Datasets with Label-Distribution-Aware Margin
    Loss", NeurIPS, section 3.2 (margins and the LDAM loss).

    Example:
        >>> LDAMLoss(class_counts=[1600, 100], max_margin=0.5).margins
        [0.25, 0.5]
    """

    arguments = ("class_counts", "max_margin", "scale")

    def __init__(
        self,
        class_counts: Iterable[int],
        max_margin: float = 0.5,
        scale: float = 30.0,
        *,
        name: str | None = "ldam_loss",
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        self.class_counts = check_counts(class_counts)
        self.max_margin = check_not_negative(max_margin, "max_margin")
        self.scale = check_positive(scale, "scale")
        rarest = min(self.class_counts)
        self.margins = [self.max_margin * (rarest / count) ** 0.25 for count in self.class_counts]

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return one loss per example."""
        is_true, logits = sparse_inputs(y_true, y_pred)
        margins = class_values(self.margins, logits, "class_counts")
        shifted = self.scale * ops.where(is_true, logits - margins, logits)
        return cross_entropy(true_class_margin(is_true, shifted))
