"""References, for scale: what estimators that are no networks make of the same splits.

They are no part of the comparison of losses. Each one, at its best trial by validation, is compared
at both decisions with the recommended loss at its own; Holm's correction is over these comparisons
alone. Where one is ahead by more than the gain that counts, that comes first in every answer.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from src.analysis.notes import choice_notes
from src.analysis.runs import DECISIONS, FinishedRun, by_setting, in_seeds
from src.analysis.statistics.candidate import DECIMALS, Candidate, lead
from src.analysis.statistics.comparison import Comparison
from src.analysis.statistics.paired import corrected, paired
from src.analysis.statistics.recommendation import Recommendation
from src.analysis.statistics.verdict import UNDECIDED
from src.analysis.tuned import Best, at_best
from src.errors import words
from src.runs.labels import short_label

BETTER = ("gain", "better")
"""Verdicts of a reference over the recommendation."""
WHAT_TO_DO = "No run of {} keeps a model; this fits one again as it was recorded, and registers it"


@dataclass(frozen=True)
class Row:
    """One estimator at one decision.

    Attributes:
        at: its best trials by validation, one a seed.
        against: how they compare with the recommendation on the test split.
        on_validation: mean difference on the validation split, percentage points.
    """

    at: Candidate
    against: Comparison
    on_validation: float

    @property
    def is_better(self) -> bool:
        """Whether it is shown to be better, with a mean above the gain that counts."""
        return self.against.verdict in BETTER and self._counts(self.against.mean)

    @property
    def leads(self) -> bool:
        """Whether it is better, or undecided and ahead by as much on both splits."""
        means = (self.against.mean, self.on_validation)
        ahead = self.against.verdict == UNDECIDED and all(map(self._counts, means))
        return self.is_better or ahead

    def _counts(self, difference: float) -> bool:
        return round(difference, DECIMALS) > self.against.threshold

    @property
    def score(self) -> float:
        """Mean test macro F1 over the seeds that both have."""
        return float(np.mean(self.against.scores))


@dataclass(frozen=True)
class ForScale:
    """The references of one setting.

    Attributes:
        setting: hash of what its losses share.
        recommended: the loss and the decision that they are compared with.
        rows: the best on the validation split first.
        sentence: how the best of them does against the recommendation.
        leads: whether one is ahead by more than the gain that counts.
        advice: what to do about that; empty where none leads.
        command: does what is advised; empty where none leads.
        notes: how they were tuned, and which seeds are missing.
    """

    setting: str
    recommended: str
    rows: list[Row]
    sentence: str
    leads: bool
    advice: str
    command: str
    notes: list[str]

    @property
    def by_label(self) -> dict[str, dict[str, Row]]:
        """The rows of each estimator by decision, the best estimator on validation first."""
        found: dict[str, dict[str, Row]] = {row.at.label: {} for row in self.rows}
        for row in sorted(self.rows, key=lambda row: DECISIONS.index(row.at.decision)):
            found[row.at.label][row.at.decision] = row
        return found


def for_scale(
    references: Sequence[FinishedRun],
    advice: Recommendation,
    losses: Mapping[str, Sequence[FinishedRun]],
    decisions: Sequence[str],
    threshold: float,
    *,
    anytime: bool = False,
) -> ForScale | None:
    """Compares the references, of any data sets and trials, with what is recommended in a setting.

    ``losses`` are the compared runs by decision; ``decisions`` are those that references are shown
    at.

    Returns:
        None where nothing is recommended, or no reference has its splits.
    """
    chosen = by_setting(losses.get(advice.decision, ()))
    of_loss = chosen.get(advice.setting, {}).get(advice.label, {})
    base = {seed: of_loss[seed] for seed in sorted(of_loss)}
    same = [
        run
        for run in references
        if run.seed in base and run.fingerprint == base[run.seed].fingerprint
    ]
    best = {decision: at_best(same, decision) for decision in decisions}
    candidates = _candidates(best)
    if not candidates:
        return None
    recommended = Candidate(advice.label, advice.decision, tuple(base.values()))
    pairs = []
    for one in candidates:
        by_seed, decided = {run.seed: run for run in one.runs}, (one.decision, advice.decision)
        found = paired(by_seed, base, threshold, decided, anytime=anytime)
        own = replace(found, setting=advice.setting, label=one.name, baseline=recommended.name)
        pairs.append(own)
    leads = [lead(one, recommended.on([run.seed for run in one.runs])).mean for one in candidates]
    rows = sorted(map(Row, candidates, corrected(pairs), leads), key=lambda row: -row.at.mean)
    ahead = sorted((row for row in rows if row.leads), key=lambda row: not row.is_better)
    first = (ahead or rows)[0]
    return ForScale(
        setting=advice.setting,
        recommended=recommended.name,
        rows=rows,
        sentence=_lead(first, ahead) if ahead else _scale(first),
        leads=bool(ahead),
        advice=WHAT_TO_DO.format(first.at.name) if ahead else "",
        command=first.at.promotes if ahead else "",
        notes=[
            *dict.fromkeys(
                note
                for found in best.values()
                for note in choice_notes(one for one in found.choices if one.keys)
            ),
            *(note for row in rows for note in row.against.missing),
        ],
    )


def _candidates(best: Mapping[str, Best]) -> list[Candidate]:
    """Each reference at each decision, over its seeds."""
    found: dict[tuple[str, str], list[FinishedRun]] = defaultdict(list)
    for decision, at_decision in best.items():
        for run in sorted(at_decision.runs, key=lambda run: run.seed):
            found[run.label, decision].append(run)
    return [Candidate(*names, tuple(runs)) for names, runs in found.items()]


def _lead(first: Row, ahead: Sequence[Row]) -> str:
    others = {row.at.label for row in ahead} - {first.at.label}
    also = f"; ahead too: {words(sorted(map(short_label, others)))}" if others else ""
    sure = "is not" if first.is_better else "may not be"
    behind = "" if first.is_better else ", but ahead on the validation splits too"
    return (
        f"A network {sure} the best choice here: on the same test splits {first.at.name} has macro "
        f"F1 {first.score:.3f}, {first.against.in_points} against the recommended "
        f"{_base(first, behind)}{also}"
    )


def _scale(first: Row) -> str:
    return (
        f"For scale: {first.at.name}, the best reference on the validation split, has macro F1 "
        f"{first.score:.3f} on the same test splits, {first.against.in_points} against "
        f"{_base(first)}"
    )


def _base(row: Row, more: str = "") -> str:
    """``ce by argmax, 0.820 (8 seeds; loss)``."""
    seeds = in_seeds(len(row.against.seeds))
    score = float(np.mean(row.against.baseline_scores))
    return f"{row.against.baseline}, {score:.3f} ({seeds}; {row.against.verdict}{more})"
