"""The verdict on a difference: gain, better, equivalent, worse, loss, or undecided.

R is the region of practical equivalence, a difference of at most the threshold to either side.
With one comparison a verdict is what the 95 % interval says; with several, what it would say at
levels corrected by Holm.
"""

from collections.abc import Sequence
from dataclasses import astuple, dataclass

import numpy as np

from src.analysis.statistics.estimate import LEVEL, Estimate

UNDECIDED = "undecided"


@dataclass(frozen=True)
class PValues:
    """p-values of what each verdict has to rule out; two-sided, as the interval is.

    Attributes:
        zero: no difference: ruled out, the loss is better or worse.
        gain: a gain of at most the threshold; 1 where the mean is none above it.
        loss: a loss of at most the threshold; 1 where the mean is none beyond it.
        equivalent: a difference beyond the threshold to either side (two one-sided tests); 1 where
            the mean is.
    """

    zero: float
    gain: float
    loss: float
    equivalent: float

    def verdict(self, mean: float) -> str:
        """The strongest that is ruled in; the direction of a difference before its smallness."""
        if self.gain <= LEVEL:
            return "gain"
        if self.loss <= LEVEL:
            return "loss"
        if self.zero <= LEVEL:
            return "better" if mean > 0 else "worse"
        return "equivalent" if self.equivalent <= LEVEL else UNDECIDED


def p_values(found: Estimate, threshold: float) -> PValues:
    """The four of one comparison, not corrected; the threshold is R in percentage points."""
    above, below = found.p_at(threshold), found.p_at(-threshold)
    return PValues(
        zero=found.p_at(0),
        gain=above if found.mean > threshold else 1.0,
        loss=below if found.mean < -threshold else 1.0,
        equivalent=max(above, below) if abs(found.mean) < threshold else 1.0,
    )


def correct(family: Sequence[PValues]) -> list[PValues]:
    """Holm's correction of each of the four over all comparisons that are shown together."""
    of_kind = zip(*map(astuple, family), strict=True)
    return [PValues(*row) for row in zip(*map(holm, of_kind), strict=True)]


def holm(values: Sequence[float]) -> list[float]:
    """Holm's step-down correction: the i-th smallest of m is multiplied by m - i + 1.

    Returns:
        Corrected values in the same order, at most 1, none below that of a smaller p.

    Source: Holm 1979, "A Simple Sequentially Rejective Multiple Test Procedure".
    """
    p = np.asarray(values, np.float64)
    order = np.argsort(p, kind="stable")
    times = p[order] * np.arange(len(p), 0, -1)
    corrected = np.empty_like(p)
    corrected[order] = np.minimum(1.0, np.maximum.accumulate(times))
    return corrected.tolist()
