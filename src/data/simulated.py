"""A made stand-in for dense detection: few objects, hard background around them, easy background.

Focal loss was made for detectors, in which nearly all of the background is easy and far from any
object, and a small part of it looks much like one (Lin et al. 2017, "Focal loss for dense object
detection", section 3). Here, with p informative columns and N(m, S) the normal distribution:

- minority class k (k = 1 to K-1), a share `minority_fraction` of the rows each: an object,
  x ~ N(c_k, I);
- class 0, the majority, all other rows. A share `hard_fraction` of them, the hard negatives, lies
  around the objects, each around an object drawn at random: x ~ N(c_k, hard_spread^2 I);
- the rest of the majority, the easy negatives: x ~ N(easy_distance * u, I).

u = (1, ..., 1) / sqrt(p) is a unit vector. With two classes c_1 = 0; with more,
c_k = object_distance * e_(k-1), on one axis each. `n_noise` further columns are N(0, 1) for every
row. All columns are standardised by the training split in the end.

Around an object, hard negatives outnumber objects (9.5 % against 5 % of all rows with the
defaults), and the two differ by their distance from its centre alone: the best boundary is a sphere
around each object, which no linear model can draw.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from src.config.data_schema import SimulatedConfig
from src.data.dataset import LEAST_CLASSES, Dataset
from src.data.errors import DataError
from src.data.made import made_dataset, majority_share
from src.data.parameters import checked_by
from src.data.splitting.plan import Splitting


@checked_by(SimulatedConfig)
def simulated(
    seed: int = 0,
    *,
    n_samples: int = 6000,
    n_features: int = 10,
    n_noise: int = 5,
    n_classes: int = 2,
    minority_fraction: float = 0.05,
    hard_fraction: float = 0.10,
    easy_distance: float = 8.0,
    hard_spread: float = 2.0,
    object_distance: float = 6.0,
    **split: Any,
) -> Dataset:
    """Objects, hard negatives around them and easy negatives far away; see the module's formulae.

    Args:
        seed: of the rows and of the split.
        n_samples: rows in all.
        n_features: columns in all.
        n_noise: how many of the columns carry nothing.
        n_classes: K, the majority and K-1 minority classes; at most one more than there are
            informative columns.
        minority_fraction: share of the rows that each minority class gets.
        hard_fraction: share of the majority that lies around the minority.
        easy_distance: from the origin to the middle of the easy negatives, in standard
            deviations of a minority class.
        hard_spread: standard deviation of the hard negatives around an object, where a
            minority class has 1; near 1 the two cannot be told apart.
        object_distance: from the origin to each minority class's middle, for K > 2.
        split: values of :class:`Splitting`, of which `split` is `auto` or `random`, since each seed
            draws fresh rows.

    Returns:
        The data set, standardised by its training split; class 0 is the majority.

    Raises:
        DataError: for a value that cannot be used.
    """
    majority_share(n_classes, minority_fraction)
    informative = n_features - n_noise
    if informative < n_classes - 1:
        raise DataError(
            f"data.n_classes={n_classes} needs {n_classes - 1} informative columns, one for each "
            f"minority class; data.n_features - data.n_noise gives {informative}."
        )
    rng = np.random.default_rng(seed)
    two = n_classes == LEAST_CLASSES
    centres = (0.0 if two else object_distance) * np.eye(n_classes - 1, informative)
    n_minority = round(n_samples * minority_fraction)
    n_majority = n_samples - (n_classes - 1) * n_minority
    n_hard = round(n_majority * hard_fraction)
    direction = np.full(informative, informative**-0.5)
    easy = rng.standard_normal((n_majority - n_hard, informative)) + easy_distance * direction
    around = centres[rng.integers(n_classes - 1, size=n_hard)]
    hard = around + hard_spread * rng.standard_normal((n_hard, informative))
    minority = np.repeat(centres, n_minority, axis=0)
    minority = minority + rng.standard_normal(minority.shape)
    noise = rng.standard_normal((n_samples, n_noise))
    x = np.hstack([np.vstack([easy, hard, minority]), noise])
    y = np.repeat(np.arange(n_classes), [n_majority] + [n_minority] * (n_classes - 1))
    kinds = [("informative", informative), ("noise", n_noise)]
    return made_dataset(
        x,
        y,
        n_classes=n_classes,
        feature_names=tuple(f"{kind}_{i}" for kind, count in kinds for i in range(count)),
        name="simulated",
        source="src.data.simulated.simulated",
        seed=seed,
        how=Splitting(**split),
    )
