"""One row a situation: how often each interval holds the truth, how wide it is, what it claims."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.coverage.intervals import INTERVALS, Held, Interval
from benchmarks.coverage.trainings import LOSSES, RATES, Scores

NUMBERS = (5, 10, 20)
"""Seeds of a comparison."""
COMPARISONS = {"A/A": 1, "focal": 2, "weighted_ce": 3}
"""Index in ``LOSSES`` of the loss that is compared with the first."""
MOST_SETS = 800
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
        held: how each interval does.
    """

    table: bool
    comparison: str
    decision: str
    setting: str
    seeds: int
    independent: int
    truth: float
    held: dict[str, Held]


def rows(
    fresh: Scores,
    tables: Scores,
    intervals: Mapping[str, Interval] = INTERVALS,
    most_sets: int = MOST_SETS,
) -> Iterator[Row]:
    """All situations.

    Args:
        fresh: shape (seeds, losses, rates, scores).
        tables: shape (tables, seeds, losses, rates, scores).
        intervals: by name.
        most_sets: sets of seeds that are drawn of fresh data; tables give as many as they have.
    """
    for table, scores in ((False, fresh), (True, tables)):
        for decision in ("argmax", "tuned"):
            for setting in (*map(str, RATES), "best"):
                at = _test_scores(scores, decision, setting)
                for comparison, index in COMPARISONS.items():
                    differences = 100 * (at[..., index] - at[..., 0])
                    truth = 0.0 if comparison == "A/A" else float(differences.mean())
                    for seeds in NUMBERS:
                        sets = _sets(differences, seeds, None if table else most_sets)
                        yield Row(
                            table=table,
                            comparison=comparison,
                            decision=decision,
                            setting=setting,
                            seeds=seeds,
                            independent=len(differences) // (1 if table else seeds),
                            truth=truth,
                            held={
                                name: Held(np.array([of(*one, table) for one in sets]), truth)
                                for name, of in intervals.items()
                            },
                        )


def _test_scores(scores: Scores, decision: str, setting: str) -> NDArray[np.float64]:
    """Test scores at a decision, each loss at a rate or at the one best on validation."""
    index = ("argmax", "tuned").index(decision)
    validation, test = scores[..., index], scores[..., index + 2]
    if setting != "best":
        return test[..., RATES.index(float(setting))]
    chosen = np.round(validation, 12).argmax(axis=-1)  # of equals the lower rate
    return np.take_along_axis(test, chosen[..., None], axis=-1)[..., 0]


def _sets(
    differences: NDArray[np.float64], seeds: int, drawn: int | None
) -> list[tuple[list[float], list[str]]]:
    """Differences of each set of seeds, drawn at random or in a row, and the split of each."""
    if drawn is None:
        starts = range(0, differences.shape[1] - seeds + 1, seeds + seeds % 2)
        splits = [str(seed // 2) for seed in range(seeds)]
        return [(of[i : i + seeds].tolist(), splits) for of in differences for i in starts]
    rng = np.random.default_rng(0)
    sets = [rng.choice(len(differences), seeds, replace=False) for _ in range(drawn)]
    return [(differences[chosen].tolist(), list(map(str, chosen))) for chosen in sets]
