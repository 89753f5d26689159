"""Which loss to take, and why: chosen on the validation split, ties going to calibration.

A candidate is a loss with one of its two decisions. Its score is validation macro F1: at argmax as
measured at the best epoch, for the tuned decision as cross-fitted, since offsets that were tuned on
a split score too well on it. The test split has no part in the choice, so its score stays honest.

1. The leader has the highest mean over the seeds that all losses share.
2. Tied with it is what trails by less than the gain that counts, where the 95 % bootstrap interval
   of the paired difference holds 0.
3. Of those that are tied, the best calibrated on the validation split wins (expected calibration
   error; paired in the same way), of equally calibrated ones the simplest: the baseline before
   others, fewer knobs before more, argmax before a tuned decision.

Of the winner's runs the one at the median of the validation scores is named. Each seed has a split
of its own, so the highest score says as much about a lucky split as about a good model.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from src.analysis.runs import DECISIONS, FinishedRun, latest_of_each
from src.analysis.significance import interval

VALIDATION = {"argmax": "best_val_f1_macro", "tuned": "val_tuned_crossfit_f1_macro"}
"""The score that a decision is chosen by."""
CALIBRATION = "best_val_ece"
NEEDED = (*VALIDATION.values(), CALIBRATION)
MOST_NAMED = 4
"""So many tied candidates are named; of the others only the number is."""
AGAIN = "python -m src.promote"


@dataclass(frozen=True)
class Candidate:
    """A loss with a decision, over the seeds that all share.

    Attributes:
        label: the loss with its knobs.
        decision: ``argmax`` or ``tuned``.
        runs: by seed.
    """

    label: str
    decision: str
    runs: tuple[FinishedRun, ...]

    @property
    def name(self) -> str:
        """For a sentence."""
        if self.decision == "argmax":
            return f"{self.label} by argmax"
        classes = len(self.runs[0].class_names)
        return f"{self.label} with {'a tuned threshold' if classes == 2 else 'tuned offsets'}"

    @property
    def scores(self) -> list[float]:
        """Validation macro F1, one a seed, 0 to 1."""
        return [run.metrics[VALIDATION[self.decision]] for run in self.runs]

    @property
    def mean(self) -> float:
        """Of the scores."""
        return float(np.mean(self.scores))

    @property
    def errors(self) -> list[float]:
        """Expected calibration error on the validation split, one a seed."""
        return [run.metrics[CALIBRATION] for run in self.runs]

    @property
    def at_median(self) -> FinishedRun:
        """The run whose validation score is the median one (the lower of two)."""
        order = sorted(range(len(self.runs)), key=lambda place: self.scores[place])
        return self.runs[order[(len(order) - 1) // 2]]

    def on_test(self) -> str:
        """``0.7130 ± 0.0150``: test macro F1 at this decision."""
        values = [run.score(self.decision) for run in self.runs]
        known = [value for value in values if value is not None]
        spread = f" ± {np.std(known, ddof=1):.4f}" if len(known) > 1 else ""
        return f"{np.mean(known):.4f}{spread}"


@dataclass(frozen=True)
class Recommendation:
    """What to take in one setting.

    Attributes:
        setting: hash of what its losses share.
        place: data and model, for people.
        label: of the loss; empty where nothing can be recommended.
        decision: ``argmax`` or ``tuned``.
        run_id: the run to promote.
        sentence: what to take, and the reason.
        details: what it scores on the test split, and which run it is.
        command: that puts the run into the model registry.
    """

    setting: str
    place: str
    sentence: str
    label: str = ""
    decision: str = ""
    run_id: str = ""
    details: str = ""
    command: str = ""


def recommend(runs: Sequence[FinishedRun], baseline: str, threshold: float) -> list[Recommendation]:
    """One recommendation a setting.

    Args:
        runs: finished runs; of several with the same setting, loss and seed the last counts.
        baseline: name or label of the loss that is the simplest.
        threshold: gain that counts, percentage points.
    """
    settings: dict[str, dict[str, dict[int, FinishedRun]]] = {}
    for (setting, label, seed), run in latest_of_each(runs).items():
        settings.setdefault(setting, {}).setdefault(label, {})[seed] = run
    return [
        _recommend(setting, losses, baseline, threshold)
        for setting, losses in settings.items()
        if len(losses) > 1
    ]


def _recommend(
    setting: str,
    losses: dict[str, dict[int, FinishedRun]],
    baseline: str,
    threshold: float,
) -> Recommendation:
    place = next(iter(next(iter(losses.values())).values())).place
    seeds = sorted(set.intersection(*(set(by_seed) for by_seed in losses.values())))
    if not seeds:
        return Recommendation(setting, place, "No recommendation: the losses share no seed")
    candidates = [
        Candidate(label, decision, tuple(by_seed[seed] for seed in seeds))
        for label, by_seed in losses.items()
        for decision in DECISIONS
    ]
    if any(name not in run.metrics for one in candidates for run in one.runs for name in NEEDED):
        return Recommendation(
            setting,
            place,
            "No recommendation: not every run recorded its validation scores; force=true trains "
            "them again",
        )
    leader = max(candidates, key=lambda one: one.mean)
    tied = [one for one in candidates if _tied(leader.scores, one.scores, threshold)]
    calibrated = min(tied, key=lambda one: float(np.mean(one.errors)))
    equal = [one for one in tied if _same(one.errors, calibrated.errors)]
    winner = min(equal, key=lambda one: _complexity(one, baseline))
    return Recommendation(
        setting=setting,
        place=place,
        sentence=_sentence(winner, leader, tied, equal, candidates),
        label=winner.label,
        decision=winner.decision,
        run_id=winner.at_median.run_id,
        details=_details(winner, candidates, baseline),
        command=f"{AGAIN} {winner.at_median.run_id} --name NAME --alias champion"
        + (" --decision argmax" if winner.decision == "argmax" else ""),
    )


def _differences(scores: Sequence[float], others: Sequence[float]) -> list[float]:
    return [100 * (a - b) for a, b in zip(scores, others, strict=True)]


def _same(scores: Sequence[float], others: Sequence[float]) -> bool:
    """Whether the interval of the mean paired difference holds 0; with one seed, if equal."""
    gaps = _differences(scores, others)
    if len(gaps) < 2:
        return gaps[0] == 0
    low, high = interval(gaps)
    return low <= 0 <= high


def _tied(leading: Sequence[float], scores: Sequence[float], threshold: float) -> bool:
    gaps = _differences(leading, scores)
    small = float(np.mean(gaps)) < threshold
    return small and (len(gaps) < 2 or _same(leading, scores))


def _complexity(one: Candidate, baseline: str) -> tuple[bool, int, bool, float]:
    """Sorts the simplest first, and of equally simple candidates that with the highest score."""
    base = baseline in {one.label, one.runs[0].loss}
    return not base, one.label.count("="), one.decision != "argmax", -one.mean


def _sentence(
    winner: Candidate,
    leader: Candidate,
    tied: Sequence[Candidate],
    equal: Sequence[Candidate],
    candidates: Sequence[Candidate],
) -> str:
    count = len(winner.runs)
    seeds = f"{count} seed{'s' if count > 1 else ''}"
    if len(tied) == 1:
        rest = [one for one in candidates if one is not leader]
        next_best = max(rest, key=lambda one: one.mean)
        gaps = _differences(leader.scores, next_best.scores)
        lead = f"{np.mean(gaps):.1f} pp"
        if count > 1:
            low, high = interval(gaps)
            lead += f" [{low:.1f}, {high:.1f}]"
            unsure = f"; {seeds} do not make that sure" if low <= 0 else ""
        else:
            unsure = "; one seed does not make that sure"
        return (
            f"Take {winner.name}: its macro F1 on the validation split, {winner.mean:.4f} over "
            f"{seeds}, is the highest, {lead} above the next, {next_best.name}{unsure}"
        )
    error = float(np.mean(winner.errors))
    if len(equal) == 1:
        reason = f"the best calibrated (expected calibration error {error:.3f})"
    elif len(equal) == len(tied):
        reason = f"none is better calibrated (expected calibration error {error:.3f}), none simpler"
    else:
        reason = (
            f"of the {len(equal)} best calibrated (expected calibration error {error:.3f}) none is "
            "simpler"
        )
    behind = max(leader.mean - one.mean for one in tied)
    return (
        f"{_listed(winner, tied)} are indistinguishable here (validation macro F1 within "
        f"{100 * behind:.1f} pp over {seeds}); take {winner.name}: {reason}"
    )


def _listed(winner: Candidate, tied: Sequence[Candidate]) -> str:
    """The tied candidates, best first, the winner among those that are named."""
    order = sorted(tied, key=lambda one: (one is not winner, -one.mean))
    names = [one.name for one in order[:MOST_NAMED]]
    more = len(order) - len(names)
    if more:
        names.append(f"{more} other{'s' if more > 1 else ''}")
    return f"{', '.join(names[:-1])} and {names[-1]}"


def _details(winner: Candidate, candidates: Sequence[Candidate], baseline: str) -> str:
    plain = next(
        (
            one
            for one in candidates
            if one.decision == "argmax" and baseline in {one.label, one.runs[0].loss}
        ),
        winner,
    )
    beside = "" if plain is winner else f" ({plain.name}: {plain.on_test()})"
    run = winner.at_median
    return (
        f"On the test split, which had no part in the choice, its macro F1 is {winner.on_test()}"
        f"{beside}. Its run at the median of the validation scores has seed {run.seed}"
    )
