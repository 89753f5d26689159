r"""Relatives of cross-entropy that weigh no class: integer labels, logits.

All take `y_true` of shape `(batch,)` or `(batch, 1)` and `y_pred` of shape `(batch, K)`, and give
one loss per example, shape `(batch,)`. A label other than 0..K-1 gives NaN.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from .arguments import PACKAGE, ConfiguredLoss, check_positive, check_share, is_finite
from .margin import cross_entropy, sparse_inputs, true_class_margin


@keras.saving.register_keras_serializable(package=PACKAGE)
class PolyCrossentropy(ConfiguredLoss):
    r"""$-\log p_t + \epsilon\,(1 - p_t)$: Poly-1.

    Cross-entropy is $\sum_j (1 - p_t)^j / j$; epsilon is added to the first coefficient, whose term
    weighs most where $p_t$ is near 1.

    Args:
        epsilon: Finite and >= -1, where the first term is gone; 0 is cross-entropy. Defaults to
            2.0, the paper's on ImageNet.
        name, **kwargs: As in `keras.losses.Loss`.

    Raises:
        ValueError: `epsilon` is not as above.

    Source: Leng et al. 2022, "PolyLoss: A Polynomial Expansion Perspective of Classification Loss
    Functions", ICLR, Poly-1 of table 1.

    Example:
        >>> round(float(PolyCrossentropy(epsilon=2.0)([1], [[0.0, 0.0]])), 4)  # log 2 + 2 * 0.5
        1.6931
    """

    arguments = ("epsilon",)

    def __init__(
        self, epsilon: float = 2.0, *, name: str | None = "poly_crossentropy", **kwargs: Any
    ) -> None:
        super().__init__(name=name, **kwargs)
        if not is_finite(epsilon) or epsilon < -1:
            raise ValueError(f"`epsilon` must be a finite number >= -1. Got {epsilon!r}.")
        self.epsilon = float(epsilon)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return one loss per example."""
        margin = true_class_margin(*sparse_inputs(y_true, y_pred))
        return cross_entropy(margin) + self.epsilon * ops.sigmoid(-margin)


@keras.saving.register_keras_serializable(package=PACKAGE)
class GeneralizedCrossentropy(ConfiguredLoss):
    r"""$(1 - p_t^q) / q$: between cross-entropy, its limit at q = 0, and $1 - p_t$ at q = 1.

    At q = 1 it is half the mean absolute error of the probabilities, summed over the classes. The
    gradient is that of cross-entropy times $p_t^q$, so examples whose label the model finds
    unlikely, mislabelled ones among them, pull less. Rare classes are such examples too, early on.

    Args:
        q: 0 < q <= 1. Defaults to 0.7, the paper's.
        name, **kwargs: As in `keras.losses.Loss`.

    Raises:
        ValueError: `q` is not as above.

    Source: Zhang and Sabuncu 2018, "Generalized Cross Entropy Loss for Training Deep Neural
    Networks with Noisy Labels", NeurIPS, equation (6); not the truncated loss of section 3.3.

    Example:
        >>> round(float(GeneralizedCrossentropy(q=1.0)([1], [[0.0, 0.0]])), 4)
        0.5
    """

    arguments = ("q",)

    def __init__(
        self, q: float = 0.7, *, name: str | None = "generalized_crossentropy", **kwargs: Any
    ) -> None:
        super().__init__(name=name, **kwargs)
        self.q = check_positive(q, "q", " and at most 1")
        if self.q > 1:
            raise ValueError(f"`q` must be a finite number > 0 and at most 1. Got {q!r}.")

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return one loss per example."""
        margin = true_class_margin(*sparse_inputs(y_true, y_pred))
        return -ops.expm1(-self.q * cross_entropy(margin)) / self.q


@keras.saving.register_keras_serializable(package=PACKAGE)
class LabelSmoothingCrossentropy(ConfiguredLoss):
    r"""$-(1 - \epsilon) \log p_t - \frac{\epsilon}{K} \sum_c \log p_c$.

    Cross-entropy against the label with a share epsilon of it spread over all classes, as
    `keras.losses.CategoricalCrossentropy(label_smoothing=epsilon)` has it for one-hot labels.

    Args:
        smoothing: Share epsilon, 0 <= epsilon < 1; 0 is cross-entropy. Defaults to 0.1, the
            paper's.
        name, **kwargs: As in `keras.losses.Loss`.

    Raises:
        ValueError: `smoothing` is not as above.

    Source: Szegedy et al. 2016, "Rethinking the Inception Architecture for Computer Vision", CVPR,
    section 7.

    Example:
        >>> loss = LabelSmoothingCrossentropy(smoothing=0.1)
        >>> round(float(loss([0], [[4.0, 0.0]])), 4)  # 0.95 * 0.0181 + 0.05 * 4.0181
        0.2181
    """

    arguments = ("smoothing",)

    def __init__(
        self,
        smoothing: float = 0.1,
        *,
        name: str | None = "label_smoothing_crossentropy",
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        self.smoothing = check_share(smoothing, "smoothing")

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return one loss per example."""
        is_true, logits = sparse_inputs(y_true, y_pred)
        of_classes = -ops.mean(ops.log_softmax(logits, axis=-1), axis=-1)
        of_label = cross_entropy(true_class_margin(is_true, logits))
        return (1 - self.smoothing) * of_label + self.smoothing * of_classes
