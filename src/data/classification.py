"""Samples of a problem of scikit-learn's `make_classification`, with class imbalance.

Source: Guyon 2003, "Design of experiments for the NIPS 2003 variable selection benchmark".

One call of `make_classification` draws a problem (where the clusters lie, how they are stretched,
how the redundant columns are mixed) together with its rows, so another `random_state` is another
problem. Here `problem` is its `random_state`, and one call draws a pool of rows. The pool is
shuffled and cut into samples with the exact share of each class, and `seed` is the number of the
sample, so that samples are fresh rows of one population. Each sample draws its own label noise.

The pool holds five million cells (250,000 rows of 20 columns), or 20 times `n_samples` rows where
that is more: with the defaults the seeds 0 to 40 share no row, with any other sizes at least 0 to
16. Later seeds cut the pool shuffled anew, and share a row with an earlier sample by chance.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import make_classification

from src.config.data_schema import ClassificationConfig
from src.data.dataset import Dataset, Labels
from src.data.errors import DataError
from src.data.made import made_dataset, majority_share
from src.data.parameters import checked_by
from src.data.splitting.plan import Splitting

POOL_CELLS = 5_000_000
POOL_SAMPLES = 20


@checked_by(ClassificationConfig)
def classification(
    seed: int = 0,
    *,
    problem: int = 0,
    n_samples: int = 6000,
    n_features: int = 20,
    n_informative: int = 10,
    n_redundant: int = 4,
    n_classes: int = 2,
    n_clusters_per_class: int = 2,
    minority_fraction: float = 0.05,
    class_sep: float = 1.0,
    flip_y: float = 0.01,
    **split: Any,
) -> Dataset:
    """One large class and K-1 small ones of equal size, before label noise.

    Args:
        seed: of the sample, its label noise and its split.
        problem: which population is sampled; each number is another.
        n_samples: rows in all.
        n_features: columns; what is neither informative nor redundant is noise.
        n_informative: columns that carry the classes.
        n_redundant: columns that are linear mixtures of the informative ones.
        n_classes: K.
        n_clusters_per_class: clusters that each class is made of.
        minority_fraction: share of the rows that each of the K-1 small classes gets.
        class_sep: half the side of the hypercube; larger is easier.
        flip_y: share of the rows whose label is drawn at random, from all classes alike.
        split: values of :class:`Splitting`, of which `split` is `auto` or `random`, since each seed
            draws fresh rows.

    Returns:
        The data set, standardised by its training split; class 0 is the large one.

    Raises:
        DataError: for a value that cannot be used.
    """
    majority = majority_share(n_classes, minority_fraction)
    if n_features < n_informative + n_redundant:
        raise DataError(
            f"data.n_features={n_features} must be at least {n_informative + n_redundant}, "
            "data.n_informative and data.n_redundant together."
        )
    if n_classes * n_clusters_per_class > 2**n_informative:
        raise DataError(
            f"data.n_informative={n_informative} gives {2**n_informative} corners, fewer than "
            f"data.n_classes x data.n_clusters_per_class = {n_classes * n_clusters_per_class}."
        )
    pool, classes = _pool(
        problem,
        max(POOL_CELLS // n_features, POOL_SAMPLES * n_samples),
        n_features=n_features,
        n_informative=n_informative,
        n_redundant=n_redundant,
        n_classes=n_classes,
        n_clusters_per_class=n_clusters_per_class,
        weights=(majority, *[minority_fraction] * (n_classes - 1)),
        class_sep=class_sep,
    )
    n_minority = round(n_samples * minority_fraction)
    sizes = [n_samples - (n_classes - 1) * n_minority] + [n_minority] * (n_classes - 1)
    rows = _cut(classes, sizes, seed)
    y = np.repeat(np.arange(n_classes), sizes)
    rng = np.random.default_rng([seed, 1])  # the split draws from default_rng(seed)
    noisy = rng.random(n_samples) < flip_y
    y[noisy] = rng.integers(n_classes, size=np.count_nonzero(noisy))
    return made_dataset(
        pool[rows],
        y,
        n_classes=n_classes,
        feature_names=tuple(f"feature_{i}" for i in range(n_features)),
        name="classification",
        source="sklearn.datasets.make_classification",
        seed=seed,
        how=Splitting(**split),
    )


@lru_cache(maxsize=1)
def _pool(
    problem: int, rows: int, *, weights: tuple[float, ...], **parameters: float
) -> tuple[NDArray[np.float64], Labels]:
    """Rows of a problem without label noise, float64 (rows, n_features), and their classes."""
    x, y = make_classification(
        rows, weights=list(weights), flip_y=0, shuffle=False, random_state=problem, **parameters
    )
    return x, y.astype(np.int64)


def _cut(classes: Labels, sizes: Sequence[int], number: int) -> NDArray[np.int64]:
    """Row numbers of a sample, by class; where the pool is used up it is shuffled and cut anew."""
    of_class = [np.flatnonzero(classes == k) for k in range(len(sizes))]
    samples = min(len(rows) // max(size, 1) for rows, size in zip(of_class, sizes, strict=True))
    shuffling, index = divmod(number, samples)
    rng = np.random.default_rng([shuffling, 2])
    return np.concatenate(
        [
            rng.permutation(rows)[index * size : (index + 1) * size]
            for rows, size in zip(of_class, sizes, strict=True)
        ]
    )
