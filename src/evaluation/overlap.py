"""How much the rarest class lies among the others: what makes a table hard beside its ratio."""

import numpy as np
from numpy.typing import NDArray
from sklearn.neighbors import NearestNeighbors

NEIGHBOURS = 5
LEAST_ASKED, MOST_ASKED = 50, 1_000
MOST_DISTANCES = 2_000_000_000
"""Rows whose neighbours are looked for: that many times rows times columns is what it costs."""


def class_overlap(
    x: NDArray[np.floating],
    y: NDArray[np.integer],
    neighbours: int = NEIGHBOURS,
    *,
    most: int = MOST_ASKED,
) -> float:
    """Share of the rarest class's nearest neighbours that are of other classes, its rows' mean.

    0: the class lies by itself; 1: every row of it lies among others. Rows that are the same,
    label included, count once: a row's own copy says nothing of what lies around it.

    Args:
        x: standardised features, shape (n, d); distances are Euclidean.
        y: class numbers, shape (n,).
        neighbours: how many of a row, or as many as there are.
        most: rows whose neighbours are looked for, drawn at random where the class has more; fewer
            where a table is large.

    Returns:
        0 to 1; NaN where there is one class alone.

    Source: k-disagreeing neighbours of Smith, Martinez and Giraud-Carrier 2014, "An instance level
    analysis of data complexity", Machine Learning 95, section 3.1; of the minority alone and with
    k = 5 as in Napierala and Stefanowski 2016, "Types of minority class examples and their
    influence on learning classifiers from imbalanced data", JIIS 46.
    """
    _, first = np.unique(np.column_stack([x, y]), axis=0, return_index=True)
    counts = np.bincount(y)
    rarest = int(np.where(counts, counts, len(y) + 1).argmin())
    x, y = x[np.sort(first)], y[np.sort(first)]
    asked = np.flatnonzero(y == rarest)
    if len(asked) == len(y):
        return float("nan")
    most = min(most, max(MOST_DISTANCES // x.size, LEAST_ASKED))
    if len(asked) > most:
        asked = np.random.default_rng(0).choice(asked, most, replace=False)
    nearest = NearestNeighbors(n_neighbors=min(neighbours, len(y) - 1) + 1).fit(x)
    found = nearest.kneighbors(x[asked], return_distance=False)
    others = found != asked[:, None]  # all but the row itself, which need not be the nearest to it
    others &= others.cumsum(axis=1) < found.shape[1]
    return float((y[found] != rarest)[others].mean())
