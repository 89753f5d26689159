"""One majority class and K-1 minority classes of equal share, as the made data sets have them."""

from __future__ import annotations

from src.data.dataset import LEAST_CLASSES
from src.data.errors import DataError

ROUNDING = 1e-9
"""What a sum of equal shares may differ from 1 by."""


def check_majority(n_classes: int, minority_fraction: float) -> float:
    """What K-1 minority classes of equal share leave for class 0.

    Args:
        n_classes: K.
        minority_fraction: share of the rows that each minority class gets.

    Returns:
        The share of class 0, at least `minority_fraction`; equal to it, the data is balanced.

    Raises:
        DataError: where class 0 would be smaller than another.
    """
    majority = 1 - minority_fraction * (n_classes - 1)
    if minority_fraction * n_classes > 1 + ROUNDING:
        raise DataError(
            f"data.minority_fraction={minority_fraction} for each of {n_classes - 1} minority "
            f"classes leaves too little for the majority; it must be at most {1 / n_classes:.3g}."
        )
    return majority


def minority_names(n_classes: int) -> tuple[str, ...]:
    """`("minority",)` for two classes, `("minority_1", "minority_2", ...)` for more."""
    if n_classes == LEAST_CLASSES:
        return ("minority",)
    return tuple(f"minority_{k}" for k in range(1, n_classes))
