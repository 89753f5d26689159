"""scikit-learn's `make_classification` with class imbalance: clusters on a hypercube's corners.

Source: Guyon 2003, "Design of experiments for the NIPS 2003 variable selection benchmark".
"""

from __future__ import annotations

import numpy as np
from sklearn.datasets import make_classification

from src.data.dataset import Dataset
from src.data.errors import DataError
from src.data.made import made_dataset, majority_share
from src.data.parameters import check_number, check_seed, check_whole


def classification(
    seed: int = 0,
    *,
    n_samples: int = 6000,
    n_features: int = 20,
    n_informative: int = 10,
    n_redundant: int = 4,
    n_classes: int = 2,
    n_clusters_per_class: int = 2,
    minority_fraction: float = 0.05,
    class_sep: float = 1.0,
    flip_y: float = 0.01,
    val_fraction: float = 0.2,
    test_fraction: float = 0.2,
) -> Dataset:
    """One large class and K-1 small ones of equal size, before label noise.

    Args:
        seed: of the rows and of the split.
        n_samples: rows in all.
        n_features: columns; what is neither informative nor redundant is noise.
        n_informative: columns that carry the classes.
        n_redundant: columns that are linear mixtures of the informative ones.
        n_classes: K.
        n_clusters_per_class: clusters that each class is made of.
        minority_fraction: share of the rows that each of the K-1 small classes gets.
        class_sep: half the side of the hypercube; larger is easier.
        flip_y: share of the rows whose label is drawn at random.
        val_fraction: share for validation.
        test_fraction: share for the test.

    Returns:
        The data set, standardised by its training split; class 0 is the large one.

    Raises:
        DataError: for a value that cannot be used.
    """
    check_seed(seed)
    check_whole("data.n_samples", n_samples, 1)
    check_whole("data.n_informative", n_informative, 1)
    check_whole("data.n_redundant", n_redundant, 0)
    check_whole("data.n_features", n_features, n_informative + n_redundant)
    check_whole("data.n_clusters_per_class", n_clusters_per_class, 1)
    check_number("data.class_sep", class_sep, 0)
    check_number("data.flip_y", flip_y, 0)
    majority = majority_share(n_classes, minority_fraction)
    if flip_y > 1:
        raise DataError(f"data.flip_y={flip_y} must be a share between 0 and 1.")
    if n_classes * n_clusters_per_class > 2**n_informative:
        raise DataError(
            f"data.n_informative={n_informative} gives {2**n_informative} corners, fewer than "
            f"data.n_classes x data.n_clusters_per_class = {n_classes * n_clusters_per_class}."
        )
    x, y = make_classification(
        n_samples=n_samples,
        n_features=n_features,
        n_informative=n_informative,
        n_redundant=n_redundant,
        n_repeated=0,
        n_classes=n_classes,
        n_clusters_per_class=n_clusters_per_class,
        weights=[majority] + [minority_fraction] * (n_classes - 1),
        class_sep=class_sep,
        flip_y=flip_y,
        shuffle=False,
        random_state=seed,
    )
    return made_dataset(
        x,
        y.astype(np.int64),
        n_classes=n_classes,
        feature_names=tuple(f"feature_{i}" for i in range(n_features)),
        name="classification",
        source="sklearn.datasets.make_classification",
        val_fraction=val_fraction,
        test_fraction=test_fraction,
        seed=seed,
    )
