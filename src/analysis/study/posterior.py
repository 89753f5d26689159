"""The difference to expect on a data set of a new family: a hierarchical model.

The difference that was measured on set i of family j is y = mu + f_j + u_ij + e_ij, percentage
points: f_j, how far the family is from the common mean mu, and u_ij, how far the set is from its
family, are Student's t with nu degrees of freedom and scales phi and tau; e_ij is Student's t with
the standard error and the degrees of freedom of the set. mu, phi and tau have flat priors, nu has
Gamma(2, 0.1) above 1 (Juarez and Steel 2010, "Model-based clustering of non-Gaussian panel data").
Without families it is the model of Corani et al. 2017, "Statistical comparison of classifiers
through Bayesian hierarchical modelling"; families are added because their sets share rows.

A score moves in steps: of the rows of the rarest class in the test splits, one in one seed. An
error below that is chance, and counts as that much. On sets where two methods differ by no more
(both say the same of nearly every row: all right, or all of the largest class) there is nothing to
foresee; were they sets like the others, their error of nearly 0 would draw mu, phi and tau to 0.
So they are ties, their share is drawn from Beta(1/2 + ties, 1/2 + others), each family counting
once, and the model is of the other sets. A next set is a tie with that probability.

Student's t is a normal whose precision is drawn from a Gamma, so Gibbs sampling needs normals and
Gammas alone; nu, phi and tau are drawn from grids. Each step has what lies below it integrated out:
chains stay nowhere for long, though phi is near 0.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats
from scipy.special import gammaln, stdtr, stdtrit

LEAST_ERROR = 0.01
"""Percentage points, where no step of the score is known."""
FEWEST = 3
"""Sets that are no ties; with fewer, all of them are modelled."""
DRAWS, BURN_IN = 1_000, 200
NU = np.geomspace(1.05, 100, 25)
NU_PRIOR = np.log(stats.gamma.pdf(NU, 2, scale=10) * NU)
"""Density per step of a geometric grid, as for ``phi`` and ``tau``."""
NU_CONSTANT = gammaln((NU + 1) / 2) - gammaln(NU / 2) - np.log(NU) / 2
STEPS, NARROWEST, WIDEST = 80, 0.002, 5.0
"""Steps of the grids over phi and tau, and their ends in standard deviations of the means."""
QUANTILES = (np.arange(100) + 0.5) / 100
"""Quantiles of a new family's effect, over which it is averaged out."""
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Posterior:
    """Draws of the parameters, each an array of shape (draws,), percentage points.

    Attributes:
        mu: the common mean.
        phi: scale of the families' effects; 0 without families.
        tau: scale of the sets' effects within a family.
        nu: degrees of freedom of both.
        ties: share of sets on which the two methods tie, 0 to 1.
    """

    mu: Array
    phi: Array
    tau: Array
    nu: Array
    ties: Array

    def shares(self, threshold: float) -> Array:
        """Shares of the data sets that could come next which lose, are equivalent, gain.

        Args:
            threshold: percentage points.

        Returns:
            Shape (draws, 3), rows that sum to 1: below minus the threshold, between, above. Their
            means are the probabilities of the next set; their spread says how well they are known.
        """
        mu, phi, tau, nu = (one[:, None] for one in (self.mu, self.phi, self.tau, self.nu))
        centre = mu + phi * stdtrit(nu, QUANTILES)
        below = stdtr(nu, (-threshold - centre) / tau).mean(axis=1)
        above = stdtr(nu, (centre - threshold) / tau).mean(axis=1)
        below, above = (1 - self.ties) * below, (1 - self.ties) * above
        return np.column_stack([below, np.maximum(1 - below - above, 0), above])

    def next_sets(self, seed: int = 0) -> Array:
        """True differences on data sets that could come next, one a draw."""
        random = np.random.default_rng(seed)
        t_family, t_set = random.standard_t(np.stack([self.nu, self.nu]))
        differ = random.random(self.ties.shape) >= self.ties
        found: Array = differ * (self.mu + self.phi * t_family + self.tau * t_set)
        return found


def sample(
    means: Sequence[float],
    errors: Sequence[float],
    df: Sequence[float],
    families: Sequence[str] | None = None,
    *,
    steps: Sequence[float] | None = None,
    draws: int = DRAWS,
    seed: int = 0,
) -> Posterior:
    """Draws from the posterior.

    Args:
        means: measured difference of each set, percentage points, shape (n,), n > 2.
        errors: standard error of each.
        df: degrees of freedom of each error.
        families: of each set; None for sets that share no rows.
        steps: the least by which the difference of each set can move; None where it has no steps.
        draws: how many are kept.
        seed: of the sampler.
    """
    y, degrees = np.asarray(means, np.float64), np.asarray(df, np.float64)
    error = np.asarray(errors, np.float64)
    least = np.zeros(len(y)) if steps is None else np.asarray(steps, np.float64)
    labels = np.arange(len(y)) if families is None else np.asarray(families)
    random = np.random.default_rng(seed)
    tied = (np.abs(y) <= least) & (error <= least) & (least > 0)
    share = pd.Series(tied).groupby(labels).mean()
    ties = random.beta(0.5 + share.sum(), 0.5 + (1 - share).sum(), draws) * tied.any()
    if (~tied).sum() < FEWEST:
        tied, ties = np.zeros(len(y), np.bool_), np.zeros(draws)
    noise = np.maximum(np.maximum(error, least), LEAST_ERROR)[~tied] ** 2
    index = np.unique(labels[~tied], return_inverse=True)[1]
    chain = _Chain(y[~tied], noise, degrees[~tied], index, families is not None, random)
    for _ in range(BURN_IN):
        chain.step()
    mu, phi, tau, nu = np.array([chain.step() for _ in range(draws)]).T
    return Posterior(mu, phi, tau, nu, ties)


@dataclass
class _Chain:
    """The state of the sampler; ``step`` moves it on and gives mu, phi, tau, nu."""

    y: Array
    noise: Array
    df: Array
    index: NDArray[np.intp]
    families: bool
    random: np.random.Generator

    def __post_init__(self) -> None:
        y, count = self.y, self.index.max() + 1
        self.grid = np.geomspace(NARROWEST, WIDEST, STEPS) * max(float(y.std()), LEAST_ERROR)
        self.mu, self.tau, self.nu = float(np.median(y)), float(y.std()) / 2 + LEAST_ERROR, 5.0
        self.phi = self.tau if self.families else 0.0
        self.of_noise, self.of_set = np.ones(len(y)), np.ones(len(y))
        self.family, self.of_family = np.zeros(count), np.ones(count)

    def step(self) -> tuple[float, float, float, float]:
        """Draws each parameter given the others."""
        noise = self.noise / self.of_noise
        self.tau = self._scale(self.y - self.mu - self.family[self.index], noise, self.of_set)
        spread = noise + self.tau**2 / self.of_set
        known = np.bincount(self.index, 1 / spread).astype(np.float64)
        centre = np.bincount(self.index, self.y / spread) / known
        own_family = np.zeros_like(known)
        if self.families:
            self.phi = self._scale(centre - self.mu, 1 / known, self.of_family)
            own_family = self.phi**2 / self.of_family
        precision = 1 / (1 / known + own_family)
        self.mu = self._normal(float(precision @ centre), float(precision.sum()))
        if self.families:
            away = known * (centre - self.mu)
            self.family = self._normal(away, known + 1 / own_family)
        away = self.y - self.mu - self.family[self.index]
        own = self._normal(away / noise, 1 / noise + self.of_set / self.tau**2)
        effects = [(own / self.tau) ** 2]
        effects += [(self.family / self.phi) ** 2] if self.families else []
        self.nu = self._degrees(np.concatenate(effects))
        self.of_set = self._gamma(self.nu, effects[0])
        self.of_family = self._gamma(self.nu, effects[-1]) if self.families else self.of_family
        self.of_noise = self._gamma(self.df, (away - own) ** 2 / self.noise)
        return self.mu, self.phi, self.tau, self.nu

    def _scale(self, away: Array, noise: Array, precision: Array) -> float:
        """Draws the scale of effects that are seen with noise, integrated over the effects."""
        variance = noise + self.grid[:, None] ** 2 / precision
        fit = -0.5 * (np.log(variance) + away**2 / variance).sum(axis=1)
        return self._of_grid(self.grid, fit + np.log(self.grid))

    def _degrees(self, squares: Array) -> float:
        """Draws nu, given squares of standardised effects, integrated over their precisions."""
        half = (NU + 1) / 2
        fit = len(squares) * NU_CONSTANT - half * np.log1p(squares[:, None] / NU).sum(axis=0)
        return self._of_grid(NU, fit + NU_PRIOR)

    def _of_grid(self, grid: Array, log_weight: Array) -> float:
        weight = np.exp(log_weight - log_weight.max()).cumsum()
        return float(grid[np.searchsorted(weight, self.random.random() * weight[-1])])

    def _normal(self, pull: Any, precision: Any) -> Any:
        """Normals of means ``pull / precision``."""
        noise = self.random.standard_normal(np.shape(precision))
        return pull / precision + noise / np.sqrt(precision)

    def _gamma(self, df: Any, squares: Array) -> Array:
        """Precisions that make normals Student's t with so many degrees of freedom."""
        return self.random.gamma((df + 1) / 2, 2 / (df + squares))
