"""What is known of a data set before anything is trained on it: what advice goes by."""

import numpy as np

from src.data.dataset import SPLITS, Dataset
from src.evaluation.overlap import class_overlap


def describe(dataset: Dataset) -> dict[str, float]:
    """Size, imbalance and overlap, over all rows of its three splits.

    Args:
        dataset: with rows of features, standardised.

    Returns:
        ``rows``; ``columns``, those that a network gets; ``classes``; ``ratio``, rows of the
        largest class over rows of the rarest; ``rarest_rows``; ``overlap``, 0 to 1, see
        :func:`src.evaluation.overlap.class_overlap`.
    """
    x = np.concatenate([getattr(dataset, f"x_{split}") for split in SPLITS])
    y = np.concatenate([getattr(dataset, f"y_{split}") for split in SPLITS])
    counts = np.bincount(y)
    return {
        "rows": len(y),
        "columns": int(np.prod(dataset.input_shape)),
        "classes": dataset.num_classes,
        "ratio": float(counts.max() / counts.min()),
        "rarest_rows": int(counts.min()),
        "overlap": class_overlap(x.reshape(len(x), -1), y),
    }
