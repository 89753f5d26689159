"""The study over all its sets: the numbers behind every section of the page."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from src.analysis.runs import DECISIONS
from src.analysis.statistics.paired import THRESHOLD_PP
from src.analysis.study.families import family_means
from src.analysis.study.ranks import Ranks, rank
from src.analysis.study.summary import OUTCOMES, summarise
from src.analysis.study.table import ANY, CHOSEN, Study

HOW = {
    "argmax": "the most probable class",
    "tuned": "thresholds tuned on the validation split",
    "prior": "the log-prior of the training split subtracted",
    CHOSEN: "the decision that validation chooses within each seed",
}
CHANCES = [f"next set: {name} above {THRESHOLD_PP:g} pp" for name in ("gain", "loss")]
CHANCES.insert(1, "next set: equivalent")
LEAST_SHARE = 0.9
"""Share of the sets that a method must have been trained on to be ranked."""


class Findings:
    """The study over all its sets.

    Args:
        study: set by set.
    """

    def __init__(self, study: Study) -> None:
        self.study = study
        self.sets = study.sets
        self.decisions = [name for name in DECISIONS if name in set(self.sets["decision"])]

    @cached_property
    def methods(self) -> list[dict[str, Any]]:
        """Each method against the baseline at the same decision, see :func:`summarise`."""
        return summarise(self.sets[self.sets["decision"] != CHOSEN])

    @cached_property
    def ranks(self) -> dict[str, tuple[Ranks, Ranks]]:
        """Ranks over families and over single sets, by decision."""
        found: dict[str, tuple[Ranks, Ranks]] = {}
        for decision in self.decisions:
            of_decision = self.sets[self.sets["decision"] == decision]
            often = of_decision["method"].value_counts()
            often = often[often >= LEAST_SHARE * often.max()].index.difference([*ANY.values()])
            ranked = of_decision[of_decision["method"].isin(often)]
            by_set = ranked.pivot(index="data", columns="method", values="score").dropna()
            tables = (family_means(ranked, "score"), by_set)
            if min(tables[0].shape) > 1:
                families, single = (rank(one, self.study.baseline) for one in tables)
                found[decision] = (families, single)
        return found

    def of(self, decision: str) -> list[dict[str, Any]]:
        """The methods at a decision but the baseline: networks by their mean, then references."""
        found = [row for row in self.methods if row["decision"] == decision]
        found = [row for row in found if row["method"] != self.study.baseline]
        return sorted(found, key=lambda row: (row["kind"], -row["mean"].value))


def counts(row: Mapping[str, Any]) -> str:
    """Sets on which the method is better, not told apart, worse."""
    return f"{row['better']}/{row['sets'] - row['better'] - row['worse']}/{row['worse']}"


def chances(row: Mapping[str, Any]) -> list[str]:
    """Chances of gain, equivalence and loss on the next set; empty where they are not known."""
    return [str(row.get(name, "")) for name in reversed(OUTCOMES)]
