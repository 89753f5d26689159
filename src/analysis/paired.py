"""Paired comparison of losses: the same splits and seeds, one difference a seed."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import bootstrap

from src.analysis.runs import FinishedRun, latest_of_each
from src.errors import UserError

THRESHOLD_PP = 2.0
CONFIDENCE = 0.95
RESAMPLES = 9999
BOOTSTRAP_SEED = 0
"""The interval is computed by resampling; a fixed seed makes it the same each time."""


@dataclass(frozen=True)
class Comparison:
    """One loss against the baseline, in one setting.

    Attributes:
        setting: hash of what both share.
        place: data and model, for people.
        label: the loss.
        baseline: what it is held against.
        seeds: those that both have, ascending.
        scores: test macro F1 of the loss for each seed, 0 to 1.
        baseline_scores: the same of the baseline.
        unpaired: seeds that only one of the two has.
        low: lower end of the confidence interval of the mean difference, percentage points; NaN
            with fewer than two seeds.
        high: its upper end.
        threshold: gain that counts, percentage points.
    """

    setting: str
    place: str
    label: str
    baseline: str
    seeds: tuple[int, ...]
    scores: tuple[float, ...]
    baseline_scores: tuple[float, ...]
    unpaired: tuple[int, ...]
    low: float
    high: float
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
    def sentence(self) -> str:
        """The answer in words."""
        count = len(self.seeds)
        over = f"over {count} seed{'s' if count != 1 else ''}"
        limit = f"{self.verdict} at {self.threshold:g} pp"
        if count < 2:
            return (
                f"{self.label} minus {self.baseline}: {self.mean:+.1f} pp {over}: {limit}; "
                "one seed tells nothing of the spread"
            )
        interval = f"[{self.low:.1f}, {self.high:.1f}]"
        if self.low > 0:
            verb, gain = "beats", f"by {self.mean:.1f} pp"
        elif self.high < 0:
            verb, gain = "loses to", f"by {-self.mean:.1f} pp"
        else:
            verb, gain = "cannot be told from", f"({self.mean:+.1f} pp)"
        return f"{self.label} {verb} {self.baseline} {gain} {interval} {over}: {limit}"


def compare(
    runs: Sequence[FinishedRun], baseline: str = "ce", threshold: float = THRESHOLD_PP
) -> list[Comparison]:
    """Every loss against the baseline, setting by setting, paired by seed.

    Args:
        runs: finished runs; of several with the same setting, loss and seed the last counts.
        baseline: name or label of a loss.
        threshold: gain that counts, percentage points.

    Returns:
        One comparison for each loss and setting, best mean difference first within a setting.

    Raises:
        UserError: where the baseline is not among the runs, stands for several losses, or where
            a pair was not trained on the same splits.
    """
    latest = latest_of_each(runs)
    comparisons = []
    for setting in dict.fromkeys(key[0] for key in latest):
        by_label: dict[str, dict[int, FinishedRun]] = {}
        for (of, label, seed), run in latest.items():
            if of == setting:
                by_label.setdefault(label, {})[seed] = run
        base = _baseline_label(by_label, baseline)
        comparisons += sorted(
            (
                _paired(by_label[label], by_label[base], threshold)
                for label in by_label
                if label != base and set(by_label[label]) & set(by_label[base])
            ),
            key=lambda found: -found.mean,
        )
    if not comparisons:
        raise UserError(
            f"nothing to compare with {baseline}: no other loss shares a seed with it; "
            "python train.py -m loss=ce,focal seed=range(0,10) makes such runs"
        )
    return comparisons


def interval(differences: Sequence[float]) -> tuple[float, float]:
    """BCa bootstrap interval of a mean.

    Args:
        differences: one a seed.

    Returns:
        Both ends; NaN with fewer than two values, the value itself where all are equal.
    """
    values = np.asarray(differences, np.float64)
    if len(values) < 2:
        return float("nan"), float("nan")
    if np.ptp(values) == 0:
        return float(values[0]), float(values[0])
    found = bootstrap(
        (values,),
        np.mean,
        confidence_level=CONFIDENCE,
        n_resamples=RESAMPLES,
        method="BCa",
        rng=np.random.default_rng(BOOTSTRAP_SEED),
    ).confidence_interval
    return float(found.low), float(found.high)


def _paired(
    runs: dict[int, FinishedRun], base: dict[int, FinishedRun], threshold: float
) -> Comparison:
    seeds = tuple(sorted(set(runs) & set(base)))
    for seed in seeds:
        if runs[seed].fingerprint != base[seed].fingerprint:
            raise UserError(
                f"seed {seed}: {runs[seed].label} and {base[seed].label} were trained on different "
                "splits; force=true trains both again on today's data"
            )
    scores = tuple(runs[seed].score for seed in seeds)
    base_scores = tuple(base[seed].score for seed in seeds)
    differences = [100 * (a - b) for a, b in zip(scores, base_scores, strict=True)]
    low, high = interval(differences)
    one, other = runs[seeds[0]], base[seeds[0]]
    return Comparison(
        setting=one.setting,
        place=one.place,
        label=one.label,
        baseline=other.label,
        seeds=seeds,
        scores=scores,
        baseline_scores=base_scores,
        unpaired=tuple(sorted(set(runs) ^ set(base))),
        low=low,
        high=high,
        threshold=threshold,
    )


def _baseline_label(by_label: dict[str, dict[int, FinishedRun]], baseline: str) -> str:
    matches = [
        label
        for label, runs in by_label.items()
        if baseline in {label, next(iter(runs.values())).loss}
    ]
    if len(matches) == 1:
        return matches[0]
    known = ", ".join(sorted(by_label))
    problem = "is not among the runs" if not matches else "stands for several losses"
    raise UserError(f"--baseline {baseline}: {problem}; there are {known}")
