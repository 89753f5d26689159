"""One majority class and K-1 minority classes of equal share, as the made data sets have them."""

from __future__ import annotations

from src.data.dataset import LEAST_CLASSES
from src.data.errors import DataError


def check_majority(n_classes: int, minority_fraction: float) -> float:
    """What K-1 minority classes of equal share leave for class 0.

    Args:
        n_classes: K.
        minority_fraction: share of the rows that each minority class gets.

    Returns:
        The share of class 0, larger than `minority_fraction`.

    Raises:
        DataError: where class 0 would not be the largest.
    """
    majority = 1 - minority_fraction * (n_classes - 1)
    if majority <= minority_fraction:
        raise DataError(
            f"data.minority_fraction={minority_fraction} for each of {n_classes - 1} minority "
            f"classes leaves too little for the majority; it must be below {1 / n_classes:.3g}."
        )
    return majority


def minority_names(n_classes: int) -> tuple[str, ...]:
    """`("minority",)` for two classes, `("minority_1", "minority_2", ...)` for more."""
    if n_classes == LEAST_CLASSES:
        return ("minority",)
    return tuple(f"minority_{k}" for k in range(1, n_classes))
