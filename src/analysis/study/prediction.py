"""Gains on a new data set, predicted from what is known of it: ridge regression over families.

Sets of one family share rows, so a family weighs as much as another, however many sets it has, and
every error is one of a family left out: the penalty, whether anything is predicted at all, and how
wide an interval is all go by the sets of families that the prediction has not seen. With penalty p,
weights 1 / (sets of the family) and features standardised and held within the range seen,

    b = (X' W X + p I)^-1 X' W y,    error of a family left out = (I - H_gg)^-1 (y - X b)_g,

H = X (X' W X + p I)^-1 X' W; the intercept is not penalised. An infinite penalty is the average.

Source: Hoerl and Kennard 1970, "Ridge regression"; Cook and Weisberg 1982, "Residuals and Influence
in Regression", section 2.2, for the errors without a second fit; Breiman et al. 1984,
"Classification and Regression Trees", section 3.4.3, for the rule of one standard error.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from sklearn.preprocessing import StandardScaler

from src.analysis.statistics.estimate import LEVEL

Array = NDArray[np.float64]
PENALTIES = (0.03, 0.1, 0.3, 1.0, 3.0)
"""In families: that many families' worth of evidence against any slope."""
LEAST_FAMILIES = 5
FEW_FAMILIES = 10
"""Below so many the average is taken: slopes of a handful of families are noise."""
BY_CHANCE = 0.065
"""Share of methods that seem to be predicted where nothing predicts; the tests simulate it."""
NOTHING = 1e-9
"""Squared percentage points; less is rounding."""


@dataclass(frozen=True)
class GainPredictor:
    """Fitted to the sets of a study; make it by :meth:`fit`.

    Attributes:
        low: least value of each feature in the study, shape (features,).
        high: its largest.
        scaler: takes each feature to mean 0 and standard deviation 1 over families.
        slopes: intercept and slopes, shape (1 + features, methods); slopes are 0 where the average
            is all that is known.
        predicts: whether the features do better than the average by more than chance, shape
            (methods,).
        spread: root mean square of the errors of families left out, shape (methods,).
        families: how many.
    """

    low: Array
    high: Array
    scaler: StandardScaler
    slopes: Array
    predicts: NDArray[np.bool_]
    spread: Array
    families: int

    @classmethod
    def fit(cls, x: Array, gains: Array, families: Sequence[str]) -> "GainPredictor":
        """Fits one regression for each method.

        The best penalty is taken where its squared errors are smaller than those of the average,
        in the mean over families, by more than one standard error; else the average is.

        Args:
            x: features of the sets, shape (n, features).
            gains: percentage points, shape (n, methods), none missing.
            families: of the sets, at least `LEAST_FAMILIES` different ones.
        """
        names, family = np.unique(families, return_inverse=True)
        weights = 1.0 / np.bincount(family)[family]
        scaler = StandardScaler().fit(x, sample_weight=weights)
        plain = np.ones((len(x), 1))
        design = np.hstack([plain, scaler.transform(x)])
        average = _by_family(left_out_errors(plain, gains, family, 0.0), family)
        errors = np.array(
            [
                _by_family(left_out_errors(design, gains, family, p * len(names)), family)
                for p in PENALTIES
            ]
        )
        best = errors.mean(axis=1).argmin(axis=0)
        methods = np.arange(gains.shape[1])
        own = errors[best, :, methods].T
        less = average - own
        error = less.std(axis=0, ddof=1) / np.sqrt(len(names))
        predicts = less.mean(axis=0) > np.maximum(error, NOTHING)
        predicts &= len(names) >= FEW_FAMILIES
        slopes = np.zeros((design.shape[1], gains.shape[1]))
        slopes[0] = np.average(gains, axis=0, weights=weights)
        for method in methods[predicts]:
            penalty = PENALTIES[best[method]] * len(names)
            slopes[:, method] = _solve(design, weights, penalty) @ gains[:, method]
        spread = np.sqrt(np.where(predicts, own, average).mean(axis=0))
        ends = x.min(axis=0), x.max(axis=0)
        return cls(*ends, scaler, slopes, predicts, spread, len(names))

    @property
    def average(self) -> Array:
        """Mean gain over families, shape (methods,): what the features' mean has."""
        return self.slopes[0]

    @property
    def half_width(self) -> Array:
        """Half of the 95 % interval for one new set, shape (methods,)."""
        return stats.t.ppf(1 - LEVEL / 2, self.families - 1) * self.spread

    def predict(self, x: Array) -> Array:
        """Expected gains on new sets, each of a family that is new, shape (sets, methods).

        Args:
            x: features, shape (sets, features); one beyond the study counts as its nearest end.
        """
        known = self.scaler.transform(np.clip(x, self.low, self.high))
        return np.asarray(self.slopes[0] + known @ self.slopes[1:], np.float64)


def left_out_errors(
    design: Array, gains: Array, family: NDArray[np.integer], penalty: float
) -> Array:
    """Error of each set's gain by the fit to all families but its own.

    Args:
        design: a column of ones and the features, shape (n, 1 + features).
        gains: shape (n, methods).
        family: number of each set's family, from 0, shape (n,).
        penalty: on the squares of the slopes.

    Returns:
        Gain minus prediction, shape (n, methods).
    """
    solve = _solve(design, 1.0 / np.bincount(family)[family], penalty)
    hat, errors = design @ solve, gains - design @ (solve @ gains)
    for number in np.unique(family):
        of_it = np.flatnonzero(family == number)
        own = np.eye(len(of_it)) - hat[np.ix_(of_it, of_it)]
        errors[of_it] = np.linalg.solve(own, errors[of_it])
    return errors


def _solve(design: Array, weights: Array, penalty: float) -> NDArray[np.floating]:
    """The matrix that gains are multiplied by to get intercept and slopes."""
    weighted = design.T * weights
    ridge = np.diag([0.0, *[penalty] * (design.shape[1] - 1)])
    return np.linalg.solve(weighted @ design + ridge, weighted)


def _by_family(errors: Array, family: NDArray[np.integer]) -> Array:
    """Mean square of each family's errors, shape (families, methods)."""
    return np.array([(errors[family == k] ** 2).mean(axis=0) for k in np.unique(family)])
