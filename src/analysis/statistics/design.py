"""The splits of some runs: the population of a mean over them, and the worth of more seeds.

What is measured of each kind stands in docs/coverage.md.
"""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from src.analysis.runs import FinishedRun, in_seeds
from src.runs.split_rounds import PARTS, parts_of

POPULATIONS = {
    "samples": "On new samples of this kind",
    "table": "On re-splits of this table",
    "trainings": "On the test rows that were given, over new trainings",
    "periods": "On the periods of this history, each after the rows that trained for it",
}
"""The population that a mean speaks of, by ``data.estimand`` of the runs."""
OF_TABLES = {"group": " by whole groups", "kfold": " into folds"}
"""Words added for re-splits of one table, by ``data.split``."""
ONE_SPLIT = "On the one split that all these seeds share"
SEEDS = 10
"""Seeds that are advised to somebody who has one; in whole rounds of splits."""
LARGE_PARTS = ("group", "time")
"""Splits in which whole groups or periods move a difference."""


@dataclass(frozen=True)
class Design:
    """The splits of some runs.

    Attributes:
        estimand: what the seeds differ in: ``samples``, ``table``, ``trainings`` or ``periods``.
        split: kind of the splits: ``random``, ``given``, ``group``, ``time`` or ``kfold``.
        test_share: rows of the test split over those of training and validation, for re-splits of
            one table; 0 where what splits share is no part of the question.
        parts: folds of a repetition, or origins of a history; 0 for other splits.
        seeds_per_split: seeds that share a split.
    """

    estimand: str = "samples"
    split: str = "random"
    test_share: float = 0.0
    parts: int = 0
    seeds_per_split: int = 1

    @property
    def a_round(self) -> int:
        """Seeds that test every fold, or every origin, once each; 1 for other splits."""
        return max(1, self.parts * self.seeds_per_split)

    @property
    def spread(self) -> float:
        """Variance by the split that is expected before it is seen, as a share of training's."""
        return 0.5 if self.split in LARGE_PARTS else 0.0

    @property
    def most_splits(self) -> float:
        """Number of different splits that there can be."""
        return self.parts if self.split == "time" and self.parts else np.inf

    def population(self, splits: int, seeds: int) -> str:
        """The beginning of a sentence on a mean over so many splits and seeds."""
        if splits == 1 < seeds and self.estimand != "trainings":
            return ONE_SPLIT
        by = OF_TABLES.get(self.split, "") if self.estimand == "table" else ""
        return f"{POPULATIONS[self.estimand]}{by}"

    def in_words(self, splits: int, seeds: int) -> str:
        """``10 seeds``, ``10 seeds on 5 folds``, ``8 seeds on 4 origins``."""
        if not self.parts:
            return in_seeds(seeds)
        what = PARTS[self.split]
        return f"{in_seeds(seeds)} on {splits} {what if splits != 1 else what.removesuffix('s')}"

    @property
    def more(self) -> str:
        """Advice on what narrows an interval where seeds no longer do."""
        if self.split == "time":
            return "more origins (data.origins) or a longer history can"
        return f"more {'groups' if self.split == 'group' else 'rows'} can"

    @property
    def one_seed(self) -> str:
        """Says that a single seed has no spread, and what to type."""
        return f"one seed: spread unknown; add {self.word(SEEDS)}"

    def word(self, seeds: int) -> str:
        """The word for at least so many seeds, in whole rounds."""
        return shlex.quote(f"seed=range(0,{self.plan(seeds)})")

    def plan(self, seeds: int) -> int:
        """The fewest seeds, at least so many, that are whole rounds."""
        return -(-seeds // self.a_round) * self.a_round


def design_of(runs: Sequence[FinishedRun]) -> Design:
    """The design of runs of one setting; parts as their parameters say."""
    first = runs[0]
    data = {key.removeprefix("data."): value for key, value in first.params.items()}
    share = 0.0
    if first.estimand == "table":
        share = float(np.mean([run.rows_test / (run.rows_train + run.rows_val) for run in runs]))
    return Design(
        estimand=first.estimand,
        split=first.split,
        test_share=share,
        parts=parts_of(first.split, data),
        seeds_per_split=int(data.get("seeds_per_split", 1)),
    )
