"""One loss compared with the baseline: the numbers, the verdict, and both in words."""

from dataclasses import dataclass

import numpy as np

from src.analysis.statistics.estimate import MOST_SEEDS, Estimate
from src.analysis.statistics.verdict import LEVEL, UNDECIDED, PValues, p_values
from src.runs.labels import short_label


@dataclass(frozen=True)
class Comparison:
    """One loss against the baseline, in one setting.

    Attributes:
        setting: hash of what both losses share.
        title: data and model, for people.
        decision: ``argmax``, or ``tuned`` for thresholds tuned on the validation split, for both.
        loss: name of the loss.
        label: the loss with its knobs.
        baseline: label of the loss it is compared with.
        seeds: those that both have, ascending.
        scores: test macro F1 of the loss for each seed, 0 to 1.
        baseline_scores: the same of the baseline.
        without_loss: seeds that the baseline alone has.
        without_baseline: seeds that the loss alone has.
        estimate: the mean difference, percentage points.
        corrected: p-values after Holm's correction over ``comparisons``.
        comparisons: how many are shown together, this one among them.
        threshold: gain that counts, percentage points.
        tuning: how the settings were found, for the sentence: ``at learning rate 0.001``.
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
    estimate: Estimate
    corrected: PValues
    comparisons: int
    threshold: float
    tuning: str

    @property
    def short(self) -> str:
        """The label as people read it."""
        return short_label(self.label)

    @property
    def base(self) -> str:
        """The baseline's label as people read it."""
        return short_label(self.baseline)

    @property
    def in_seeds(self) -> str:
        """``10 seeds``, ``10 seeds on 5 folds``."""
        return self.estimate.design.in_words(self.estimate.splits, len(self.seeds))

    @property
    def differences(self) -> tuple[float, ...]:
        """Loss minus baseline for each seed, percentage points."""
        pairs = zip(self.scores, self.baseline_scores, strict=True)
        return tuple(100 * (score - base) for score, base in pairs)

    @property
    def mean(self) -> float:
        """Mean difference, percentage points."""
        return self.estimate.mean

    @property
    def low(self) -> float:
        """Lower end of its 95 % interval, not corrected; NaN with one seed."""
        return self.estimate.low

    @property
    def high(self) -> float:
        """Upper end of the interval."""
        return self.estimate.high

    @property
    def has_interval(self) -> bool:
        """Whether the interval has ends: none with one seed, nor after a few looks at any time."""
        return bool(np.isfinite(self.low))

    @property
    def p(self) -> float:
        """Two-sided, of no difference, not corrected."""
        return self.estimate.p_at(0)

    @property
    def p_holm(self) -> float:
        """The p-value of no difference after Holm's correction."""
        return self.corrected.zero

    @property
    def wins_ties_losses(self) -> tuple[int, int, int]:
        """Over how many seeds the loss is better, equal, worse."""
        signs = np.sign(self.differences)
        return int((signs > 0).sum()), int((signs == 0).sum()), int((signs < 0).sum())

    @property
    def verdict(self) -> str:
        """``gain``, ``better``, ``equivalent``, ``worse``, ``loss`` or ``undecided``, corrected."""
        return self.corrected.verdict(self.mean)

    @property
    def verdict_alone(self) -> str:
        """The verdict if this were the only comparison."""
        return p_values(self.estimate, self.threshold).verdict(self.mean)

    @property
    def probability_of_gain(self) -> float:
        """Probability of a true difference above the threshold, 0 to 1; NaN with one seed."""
        return self.estimate.probability_above(self.threshold)

    @property
    def probability_of_loss(self) -> float:
        """Probability of one below minus the threshold."""
        return 1 - self.estimate.probability_above(-self.threshold)

    @property
    def probability_of_equivalence(self) -> float:
        """Probability of one between the two."""
        return 1 - self.probability_of_gain - self.probability_of_loss

    @property
    def needed(self) -> int | None:
        """Seeds that would decide it if mean and spread stayed; None where no 1,000 would.

        The interval has to leave out 0 or to lie within the threshold, whichever is nearer.
        """
        size = abs(self.mean)
        return self.estimate.seeds_needed(max(size, self.threshold - size), self.comparisons)

    @property
    def in_points(self) -> str:
        """``+2.1 pp [0.4, 3.8]``; without ends the mean alone."""
        ends = f" [{_pp(self.low)}, {_pp(self.high)}]" if self.has_interval else ""
        return f"{_pp(self.mean, '+')} pp{ends}"

    @property
    def headline(self) -> str:
        """The answer in one line."""
        return f"{self.short} against {self.base}: {self.in_points}: {self.verdict}"

    @property
    def sentence(self) -> str:
        """The answer in words: of what, by how much, how sure, and what would make it surer."""
        where = self.estimate.design.population(self.estimate.splits, len(self.seeds))
        basis = [self.in_seeds, *(["tuned thresholds"] if self.decision == "tuned" else [])]
        if self.estimate.anytime:
            still = "" if self.has_interval else "still no "
            basis.append(f"{still}interval valid at any time")
        changes = f"{self.short} changes macro F1 by {self.in_points} against {self.base}"
        found = ", ".join(filter(None, (where, self.tuning, f"{changes} ({', '.join(basis)})")))
        sure = "" if len(self.seeds) < 2 else f"; {self._chance}"
        return " ".join([f"{found}{sure}.", *self._conclusions])

    @property
    def _chance(self) -> str:
        gains = self.mean >= 0
        chance = 100 * (self.probability_of_gain if gains else self.probability_of_loss)
        size = "below 1" if chance < 1 else "above 99" if chance > 99 else f"{chance:.0f}"
        return (
            f"a {'gain' if gains else 'loss'} above {self.threshold:g} pp has probability {size} %"
        )

    @property
    def _conclusions(self) -> list[str]:
        """The verdict with its reason, the part that the correction has in it, training noise."""
        said = [f"{self.verdict.capitalize()}: {self._reason}."]
        if self.verdict != self.verdict_alone:
            said.append(
                f"Holm's correction for the {self.comparisons} comparisons shown makes it "
                f"{self.verdict}; alone it would be {self.verdict_alone}."
            )
        if not np.isnan(self.estimate.training_sd):
            noise = f"{self.estimate.training_sd:.1f} pp"
            said.append(f"Another training seed alone moves a difference by {noise} (sd).")
        return said

    @property
    def _reason(self) -> str:
        limit = f"{self.threshold:g} pp"
        if self.verdict in {"better", "worse"}:
            if self.corrected.equivalent <= LEVEL:
                return f"a difference is shown, and that it is within {limit}: equal in practice"
            size = "gain" if self.mean > 0 else "loss"
            return f"a difference is shown, a {size} above {limit} is not"
        if self.verdict != UNDECIDED:
            sure = {"gain": "above", "loss": "beyond", "equivalent": "within"}[self.verdict]
            return f"the whole interval is {sure} {limit}"
        if len(self.seeds) < 2:
            return self.estimate.design.one_seed
        return f"neither a difference nor equivalence within {limit} is shown; {self._remedy}"

    @property
    def _remedy(self) -> str:
        if self.needed is not None:
            return f"about {self.needed} seeds would decide it"
        if not self.estimate.floor > 0:
            return f"{MOST_SEEDS:,} seeds would not decide it"
        if np.isnan(self.estimate.training_sd):
            return (
                "with one training seed a split, what more seeds can do is not known: "
                "data.seeds_per_split=2 tells"
            )
        return (
            f"more seeds cannot narrow this below ±{self.estimate.floor:.1f} pp, "
            f"{self.estimate.design.more}"
        )

    @property
    def missing(self) -> list[str]:
        """A sentence for each of the two on the seeds that it lacks."""
        lacks = ((self.short, self.without_loss), (self.base, self.without_baseline))
        return [
            f"{label} has no run for seed{'s' if len(seeds) > 1 else ''} "
            f"{', '.join(map(str, seeds))}, left out of the pairs"
            for label, seeds in lacks
            if seeds
        ]


def _pp(value: float, sign: str = "") -> str:
    """One decimal, and no minus before a zero."""
    return format(round(value, 1) + 0.0, f"{sign}.1f")
