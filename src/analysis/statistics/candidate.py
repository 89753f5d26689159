"""A candidate for the recommendation: a loss with one of its two decisions."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from src.analysis.runs import CALIBRATION, FinishedRun
from src.analysis.statistics.estimate import Estimate
from src.analysis.statistics.paired import estimate_over
from src.runs.labels import SAMPLED_BY, short_label

DECIMALS = 9
"""Decimals of a difference in percentage points; the order of summing changes later ones."""


@dataclass(frozen=True)
class Candidate:
    """A loss with a decision, over the seeds that all losses share.

    Attributes:
        label: the loss with its knobs.
        decision: ``argmax`` or ``tuned``.
        runs: by seed.
    """

    label: str
    decision: str
    runs: tuple[FinishedRun, ...]

    @property
    def short(self) -> str:
        """The label as people read it."""
        return short_label(self.label)

    @property
    def name(self) -> str:
        """For a sentence."""
        if self.decision != "tuned":
            return f"{self.short} by {self.decision}"
        classes = len(self.runs[0].class_names)
        return f"{self.short} with {'a tuned threshold' if classes == 2 else 'tuned thresholds'}"

    @property
    def scores(self) -> list[float]:
        """Validation macro F1, one per seed, 0 to 1."""
        return [run.on_validation(self.decision) for run in self.runs]

    @property
    def mean(self) -> float:
        """Mean of the scores."""
        return float(np.mean(self.scores))

    @property
    def errors(self) -> list[float]:
        """Expected calibration error on the validation split, one per seed."""
        return [run.on_validation(self.decision, CALIBRATION) for run in self.runs]

    @property
    def median_run(self) -> FinishedRun:
        """The run whose validation score is the median one (the lower of two).

        Where splits follow in time, of the runs that trained on the rows of the latest origin.
        """
        runs = self.runs
        if runs[0].estimand == "periods":
            runs = tuple(run for run in runs if run.rows_train == max(r.rows_train for r in runs))
        order = sorted(runs, key=lambda run: run.on_validation(self.decision))
        return order[(len(order) - 1) // 2]

    @property
    def promotes(self) -> str:
        """The command that puts the median run into the model registry, with this decision."""
        decision = "" if self.decision == "tuned" else f" --decision {self.decision}"
        command = f"python -m src.promote {self.median_run.run_id} --name NAME --alias champion"
        return f"{command}{decision}"

    @property
    def on_test(self) -> str:
        """``0.7130 ± 0.0150``: test macro F1 at this decision."""
        known = [score for run in self.runs if (score := run.score(self.decision)) is not None]
        spread = f" ± {np.std(known, ddof=1):.4f}" if len(known) > 1 else ""
        return f"{np.mean(known):.4f}{spread}"

    def on(self, seeds: Collection[int]) -> "Candidate":
        """The candidate over some of its seeds."""
        return replace(self, runs=tuple(run for run in self.runs if run.seed in seeds))

    def is_of(self, loss: str) -> bool:
        """Whether a name or label stands for its loss."""
        named = self.runs[0].loss if SAMPLED_BY not in self.label else self.label
        return loss in {self.label, named, self.short}

    def complexity(self, baseline: str) -> tuple[bool, int, bool, float]:
        """Sorts the simplest candidate first, and equally simple ones by their score."""
        knobs = self.label.count("=") + self.label.count(SAMPLED_BY)
        return not self.is_of(baseline), knobs, self.decision != "argmax", -self.mean


def differences(scores: Sequence[float], others: Sequence[float]) -> list[float]:
    """Seed by seed, percentage points."""
    return [round(100 * (a - b), DECIMALS) for a, b in zip(scores, others, strict=True)]


def lead(one: Candidate, other: Candidate) -> Estimate:
    """The validation scores of one candidate minus those of another, percentage points."""
    return estimate_over(one.runs, differences(one.scores, other.scores))


def equal(one: Candidate, other: Candidate) -> bool:
    """Whether the interval of the difference in calibration holds 0; with one seed, if it is 0."""
    gaps = differences(one.errors, other.errors)
    return _holds_zero(estimate_over(one.runs, gaps))


def tied(leader: Candidate, other: Candidate, threshold: float) -> bool:
    """Whether a candidate trails by less than the threshold (pp), with an interval that holds 0."""
    ahead = lead(leader, other)
    return ahead.mean < threshold and (len(leader.runs) < 2 or _holds_zero(ahead))


def _holds_zero(found: Estimate) -> bool:
    return found.mean == 0 if found.seeds < 2 else found.low <= 0 <= found.high
