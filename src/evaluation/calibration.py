"""How far predicted probabilities can be taken at their word."""

import numpy as np
from numpy.typing import NDArray

BINS = 15


def expected_calibration_error(
    y_true: NDArray[np.integer], probabilities: NDArray[np.floating]
) -> float:
    """Mean gap between confidence and accuracy, over 15 bins of equal width.

    ECE = sum over bins of n_b / n * |accuracy_b - confidence_b|, where confidence is the largest
    probability of an example; a bin holds its upper edge.

    Args:
        y_true: class numbers, shape (n,).
        probabilities: shape (n, K), rows summing to 1.

    Source: Guo et al. 2017, "On Calibration of Modern Neural Networks", ICML, equation (3).
    """
    confidence = probabilities.max(axis=1)
    if not np.isfinite(confidence).all():
        return float("nan")
    right = probabilities.argmax(axis=1) == y_true
    in_bin = np.clip(np.ceil(confidence * BINS).astype(int) - 1, 0, BINS - 1)
    gaps = np.bincount(in_bin, weights=right - confidence, minlength=BINS)
    return float(np.abs(gaps).sum() / len(y_true))


def log_loss(y_true: NDArray[np.integer], log_p: NDArray[np.floating]) -> float:
    """Mean of -log p of the true class, in nats: the one scale that all losses share.

    Args:
        y_true: class numbers, shape (n,).
        log_p: log-probabilities, shape (n, K).
    """
    return float(-log_p[np.arange(len(y_true)), y_true].mean())


def brier_score(y_true: NDArray[np.integer], probabilities: NDArray[np.floating]) -> float:
    """Mean squared distance between the probabilities and the true class, summed over classes.

    From 0 to 2: the form that Brier gave. scikit-learn's ``brier_score_loss`` halves it for two
    classes unless ``scale_by_half=False``.

    Args:
        y_true: class numbers, shape (n,).
        probabilities: shape (n, K), rows summing to 1.

    Source: Brier 1950, "Verification of forecasts expressed in terms of probability", equation (2).
    """
    truth = np.eye(probabilities.shape[1])[y_true]
    return float(((probabilities - truth) ** 2).sum(axis=1).mean())
