"""Makes a balanced data set imbalanced, by leaving rows out.

Profiles, with n_max the rows of the largest class and rho the imbalance ratio:

- `none`: everything stays.
- `step`: the named rare classes keep n_max / rho rows, the others all they have (Buda et al.
  2018, "A systematic study of the class imbalance problem in convolutional neural networks").
- `longtail`: class number k in the order from common to rare keeps n_max * rho^(-k / (K-1)) rows
  (Cui et al. 2019, "Class-balanced loss based on effective number of samples", section 4.1; Cao
  et al. 2019, "Learning imbalanced datasets with label-distribution-aware margin loss").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from src.data.dataset import Labels
from src.data.errors import DataError, shortened
from src.data.splitting.split import Rows
from src.errors import close_match


@dataclass(frozen=True)
class Imbalance:
    """Which classes are rare, and how rare.

    Attributes:
        profile: `none`, `step` or `longtail`.
        ratio: rho, rows of the largest class over rows of the rarest; at least 1.
        rare: class numbers. For `step` the rare ones; for `longtail` those at the end of the
            tail, the last one the rarest; the other classes come before them in their own order.
        class_names: K names.
    """

    profile: str
    ratio: float
    rare: tuple[int, ...]
    class_names: tuple[str, ...]

    def targets(self, counts: NDArray[np.int64]) -> NDArray[np.int64]:
        """Rows that each class keeps of its `counts`, both int64, shape (K,); 0 is possible."""
        wanted = np.array(counts, dtype=np.float64)
        largest = float(wanted.max())
        if self.profile == "step":
            wanted[list(self.rare)] = largest / self.ratio
        elif self.profile == "longtail":
            common = [k for k in range(len(counts)) if k not in self.rare]
            for rank, k in enumerate([*common, *self.rare]):
                wanted[k] = largest * self.ratio ** (-rank / (len(counts) - 1))
        return np.minimum(np.rint(wanted).astype(np.int64), counts)

    def thin(self, y: Labels, rows: Rows, seed: int) -> Rows:
        """Leaves rows out until a split has the profile, but never the last row of a class.

        Args:
            y: class numbers of all rows, int64, shape (n,).
            rows: row numbers of the split, int64, shape (m,).
            seed: which rows stay.

        Returns:
            The row numbers that stay, in the order they came in.
        """
        if self.profile == "none":
            return rows
        counts = np.bincount(y[rows], minlength=len(self.class_names))
        targets = np.maximum(self.targets(counts), np.minimum(1, counts))
        rng = np.random.default_rng(seed)
        kept = np.zeros(len(rows), dtype=bool)
        for k, target in enumerate(targets):
            kept[rng.permutation(np.flatnonzero(y[rows] == k))[:target]] = True
        return rows[kept]

    def thin_training(self, y: Labels, rows: Rows, seed: int) -> Rows:
        """Thins the training split, in which the profile must leave a row of each class.

        Raises:
            DataError: names the ratio, the class and the largest ratio that would do.
        """
        counts = np.bincount(y[rows], minlength=len(self.class_names))
        gone = np.flatnonzero(self.targets(counts) == 0)
        if gone.size:
            raise DataError(
                f"data.imbalance_ratio={self.ratio:g} leaves no training row of "
                f"{shortened(self.class_names[k] for k in gone)}; the largest class has "
                f"{counts.max()} training rows, so the ratio can be {counts.max()} at most."
            )
        return self.thin(y, rows, seed)


def imbalance(
    profile: str, ratio: float, rare_classes: Sequence[int | str], class_names: tuple[str, ...]
) -> Imbalance:
    """An :class:`Imbalance` of rare classes that are given by name or by number.

    Raises:
        DataError: for a class that does not exist or is named twice, and for `step` with no rare
            class or with no common one.
    """
    rare = tuple(_class_number(wanted, class_names) for wanted in rare_classes)
    if len(set(rare)) != len(rare):
        raise DataError(f"data.rare_classes={list(rare_classes)!r} names a class twice.")
    if profile == "step" and not 0 < len(rare) < len(class_names):
        raise DataError(
            f"data.rare_classes={list(rare_classes)!r} must name at least one class, and not all "
            f"{len(class_names)}, for data.profile=step."
        )
    return Imbalance(profile, float(ratio), rare, class_names)


def _class_number(wanted: int | str, class_names: tuple[str, ...]) -> int:
    if isinstance(wanted, str) and wanted in class_names:
        return class_names.index(wanted)
    if isinstance(wanted, int) and not isinstance(wanted, bool) and 0 <= wanted < len(class_names):
        return wanted
    raise DataError(
        f"data.rare_classes has {wanted!r}; right are numbers from 0 to {len(class_names) - 1} or "
        f"the names {shortened(class_names)}.{close_match(str(wanted), class_names)}"
    )
