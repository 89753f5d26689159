"""What the validation split says of a trained model: what a loss is chosen by.

A decision that was tuned on the validation split scores too well there. So the tuned decision is
scored by cross-fitting: each part of the split is decided by offsets tuned on the others.
"""

import numpy as np
from numpy.typing import NDArray

from src.evaluation.decision import decide, tune_offsets
from src.evaluation.scores import macro_f1, score

FOLDS = 5
FEW_FOLDS = 2
COSTLY = 10**8
"""Rows times squared classes from which there are only two folds: each costs as many steps."""


def score_validation(
    y_val: NDArray[np.int64], val_logits: NDArray[np.floating]
) -> dict[str, float]:
    """Calibration at the best epoch, and the cross-fitted score of the tuned decision.

    Args:
        y_val: class numbers, shape (n,).
        val_logits: shape (n, K).

    Returns:
        ``best_val_ece`` (15 bins), ``best_val_brier`` (0 to 2), ``best_val_log_loss`` (nats), and
        ``val_tuned_crossfit_f1_macro``.

    Raises:
        UserError: where a logit is not finite.
    """
    values = score(y_val, val_logits).values
    found = {f"best_val_{name}": values[name] for name in ("ece", "brier", "log_loss")}
    return found | {"val_tuned_crossfit_f1_macro": crossfit_f1(y_val, val_logits)}


def crossfit_f1(
    y_true: NDArray[np.int64], logits: NDArray[np.floating], folds: int | None = None
) -> float:
    """Macro F1 over all rows, each decided by offsets that were tuned without its own fold.

    Args:
        y_true: class numbers, shape (n,).
        logits: shape (n, K).
        folds: parts; the rows of each class are dealt out to them in turn. None takes 5, or 2 where
            rows and classes are so many that 5 would take minutes.

    Source: cross-fitting as in Chernozhukov et al. 2018, "Double/debiased machine learning".
    """
    rows, classes = logits.shape
    folds = folds or (FOLDS if rows * classes**2 < COSTLY else FEW_FOLDS)
    fold = _deal(y_true, folds)
    chosen = np.empty(len(y_true), np.int64)
    for number in range(folds):
        held = fold == number
        if held.all():  # nothing to tune on
            chosen[held] = logits[held].argmax(axis=1)
        elif held.any():
            offsets = tune_offsets(y_true[~held], logits[~held])
            chosen[held] = decide(logits[held], offsets)
    return macro_f1(y_true, chosen, classes)


def _deal(y_true: NDArray[np.int64], folds: int) -> NDArray[np.int64]:
    """A fold for each row: the n-th row of class k goes to fold (n + k) mod folds."""
    order = np.argsort(y_true, kind="stable")
    starts = np.searchsorted(y_true[order], y_true[order], side="left")
    fold = np.empty(len(y_true), np.int64)
    fold[order] = (np.arange(len(y_true)) - starts + y_true[order]) % folds
    return fold
