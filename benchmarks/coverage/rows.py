"""One row a situation: how often each interval holds the truth, how wide it is, what it claims."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.coverage.intervals import INTERVALS, Interval
from benchmarks.coverage.trainings import LOSSES, RATES, Scores

NUMBERS = (5, 10, 20)
"""Seeds of a comparison."""
GAINS = (1, 2, 4)
"""True gains, pp, for which the power is told."""
COMPARISONS = {"A/A": 1, "focal": 2, "weighted_ce": 3}
"""Places in ``LOSSES`` of what is compared with the first."""
MOST_SETS = 800
"""Sets of seeds of a row on fresh data; tables give as many as they have."""
assert LOSSES[2:] == ("focal", "weighted_ce")


@dataclass(frozen=True)
class Row:
    """One situation.

    Attributes:
        table: whether splits are of one table, else data are fresh.
        comparison: a key of ``COMPARISONS``.
        decision: ``argmax`` or ``tuned``.
        setting: the learning rate, or ``best`` of the two by validation.
        seeds: of a comparison.
        independent: sets that share no table, or no seed of fresh data.
        truth: mean difference over all data, pp; 0 for A/A by its making.
        ends: of each interval, for each set of seeds, shape (sets, 2), pp.
    """

    table: bool
    comparison: str
    decision: str
    setting: str
    seeds: int
    independent: int
    truth: float
    ends: dict[str, NDArray[np.float64]]

    def coverage(self, interval: str) -> float:
        """Share of the sets whose interval holds the truth."""
        low, high = self.ends[interval].T
        return float(((low <= self.truth) & (self.truth <= high)).mean())

    def half_width(self, interval: str) -> float:
        """Mean half of the interval's width, pp."""
        low, high = self.ends[interval].T
        return float((high - low).mean() / 2)

    def better(self, interval: str, gain: float = 0.0) -> float:
        """Share of the sets that would be called better, were the true difference ``gain`` pp."""
        return float((self.ends[interval][:, 0] - self.truth + gain > 0).mean())


def rows(
    fresh: Scores, tables: Scores, intervals: Mapping[str, Interval] = INTERVALS
) -> Iterator[Row]:
    """All situations.

    Args:
        fresh: shape (seeds, losses, rates, scores).
        tables: shape (tables, seeds, losses, rates, scores), NaN where a table has fewer seeds.
        intervals: by name.
    """
    for table, scores in ((False, fresh), (True, tables)):
        for decision in ("argmax", "tuned"):
            for setting in (*map(str, RATES), "best"):
                at = _test_scores(scores, decision, setting)
                for comparison, place in COMPARISONS.items():
                    differences = 100 * (at[..., place] - at[..., 0])
                    truth = 0.0 if comparison == "A/A" else float(np.nanmean(differences))
                    for seeds in NUMBERS:
                        sets = _sets(differences, seeds, table)
                        yield Row(
                            table=table,
                            comparison=comparison,
                            decision=decision,
                            setting=setting,
                            seeds=seeds,
                            independent=_independent(differences, seeds, table),
                            truth=truth,
                            ends=_ends(sets, table, intervals),
                        )


def _test_scores(scores: Scores, decision: str, setting: str) -> NDArray[np.float64]:
    """Of a decision, with each loss at a rate, or at that of the best validation score."""
    place = ("argmax", "tuned").index(decision)
    validation, test = scores[..., place], scores[..., place + 2]
    if setting != "best":
        return test[..., RATES.index(float(setting))]
    chosen = np.round(validation, 12).argmax(axis=-1)  # of equals the lower rate
    return np.take_along_axis(test, chosen[..., None], axis=-1)[..., 0]


def _independent(differences: NDArray[np.float64], seeds: int, table: bool) -> int:
    """Tables that have so many seeds, or sets of seeds that share none."""
    if table:
        return int(np.isfinite(differences[:, seeds - 1]).sum())
    return len(differences) // seeds


def _sets(
    differences: NDArray[np.float64], seeds: int, table: bool
) -> list[tuple[NDArray[np.float64], list[str]]]:
    """Differences of each set of seeds, and the split of each.

    Seeds of fresh data are drawn from all of them, without replacement within a set. On a table a
    set is of seeds that follow each other, two a split.
    """
    if table:
        starts = range(0, differences.shape[1] - seeds + 1, seeds + seeds % 2)
        splits = [str(seed // 2) for seed in range(seeds)]
        sets = [(of[i : i + seeds], splits) for of in differences for i in starts]
        return [one for one in sets if np.isfinite(one[0]).all()]
    rng = np.random.default_rng(0)
    drawn = [rng.choice(len(differences), seeds, replace=False) for _ in range(MOST_SETS)]
    return [(differences[chosen], [str(seed) for seed in chosen]) for chosen in drawn]


def _ends(
    sets: list[tuple[NDArray[np.float64], list[str]]],
    table: bool,
    intervals: Mapping[str, Interval],
) -> dict[str, NDArray[np.float64]]:
    return {
        name: np.array([interval(values.tolist(), splits, table) for values, splits in sets])
        for name, interval in intervals.items()
    }
