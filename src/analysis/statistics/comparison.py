"""One loss compared with the baseline: the numbers, the verdict, and both in words."""

from dataclasses import dataclass

import numpy as np

from src.analysis.statistics.significance import LEVEL, seeds_needed


@dataclass(frozen=True)
class Comparison:
    """One loss against the baseline, in one setting.

    Attributes:
        setting: hash of what both losses share.
        title: data and model, for people.
        decision: ``argmax``, or ``tuned`` for offsets tuned on the validation split, for both.
        loss: name of the loss.
        label: the loss with its knobs.
        baseline: label of the loss it is compared with.
        seeds: those that both have, ascending.
        scores: test macro F1 of the loss for each seed, 0 to 1.
        baseline_scores: the same of the baseline.
        without_loss: seeds that the baseline alone has.
        without_baseline: seeds that the loss alone has.
        low: lower end of the confidence interval of the mean difference, percentage points; NaN
            with fewer than two seeds.
        high: its upper end.
        p: of Wilcoxon's signed-rank test, two-sided.
        p_holm: corrected for all comparisons made together.
        comparisons: how many these are.
        threshold: gain that counts, percentage points.
    """

    setting: str
    title: str
    decision: str
    loss: str
    label: str
    baseline: str
    seeds: tuple[int, ...]
    scores: tuple[float, ...]
    baseline_scores: tuple[float, ...]
    without_loss: tuple[int, ...]
    without_baseline: tuple[int, ...]
    low: float
    high: float
    p: float
    p_holm: float
    comparisons: int
    threshold: float

    @property
    def differences(self) -> tuple[float, ...]:
        """Loss minus baseline for each seed, percentage points."""
        pairs = zip(self.scores, self.baseline_scores, strict=True)
        return tuple(100 * (score - base) for score, base in pairs)

    @property
    def mean(self) -> float:
        """Mean difference, percentage points."""
        return float(np.mean(self.differences))

    @property
    def wins_ties_losses(self) -> tuple[int, int, int]:
        """Over how many seeds the loss is better, equal, worse."""
        signs = np.sign(self.differences)
        return int((signs > 0).sum()), int((signs == 0).sum()), int((signs < 0).sum())

    @property
    def passed(self) -> bool:
        """Mean gain at least the threshold, and the interval above 0."""
        return bool(self.mean >= self.threshold and self.low > 0)

    @property
    def verdict(self) -> str:
        """PASS or FAIL."""
        return "PASS" if self.passed else "FAIL"

    @property
    def sure(self) -> bool:
        """Whether interval and corrected test both tell the difference from 0."""
        return (self.low > 0 or self.high < 0) and self.p_holm < LEVEL

    @property
    def needed(self) -> int | None:
        """Seeds with which a difference like this could be told from 0; None for too many."""
        return seeds_needed(self.differences, self.comparisons)

    @property
    def sentence(self) -> str:
        """The answer in words."""
        count = len(self.seeds)
        over = f"over {count} seed{'s' if count != 1 else ''}"
        over += ", decisions tuned" if self.decision == "tuned" else ""
        limit = f"{self.verdict} at {self.threshold:g} pp"
        if count < 2:
            return (
                f"{self.label} minus {self.baseline}: {self.mean:+.1f} pp {over}: {limit}; "
                "one seed tells nothing of the spread"
            )
        between = f"[{self.low:.1f}, {self.high:.1f}]"
        if self.low > 0:
            verb, gain = "beats", f"by {self.mean:.1f} pp"
        elif self.high < 0:
            verb, gain = "loses to", f"by {-self.mean:.1f} pp"
        else:
            verb, gain = "cannot be told from", f"({self.mean:+.1f} pp)"
        return f"{self.label} {verb} {self.baseline} {gain} {between} {over}: {limit}"

    @property
    def caution(self) -> str:
        """The reason why the sentence is no claim yet; empty where it is one."""
        if self.sure:
            return ""
        count, needed = len(self.seeds), self.needed
        if needed is None:
            return f"{count} seeds do not tell them apart, and at this mean 1,000 would not either"
        if count < needed:
            seeds = f"{count} seed{'s are' if count != 1 else ' is'}"
            known = "at least " if count < 2 else "at this mean and spread about "
            return f"{seeds} too few for a claim: {known}{needed} would do"
        return f"not significant after Holm's correction (p = {self.p_holm:.2g})"

    @property
    def missing(self) -> list[str]:
        """A sentence for each of the two on the seeds that it lacks."""
        lacks = ((self.label, self.without_loss), (self.baseline, self.without_baseline))
        return [
            f"{label} has no run for seed{'s' if len(seeds) > 1 else ''} "
            f"{', '.join(map(str, seeds))}, left out of the pairs"
            for label, seeds in lacks
            if seeds
        ]
