"""The loss to take, chosen on the validation split; ties go to the best calibrated.

A candidate is a loss with one of its two decisions. Its score is cross-fitted macro F1 on the
validation split, since an epoch and offsets that were chosen on a split score too well on it. The
test split of a seed has no part in the choice; re-splits of one table share rows, so that there the
validation of other seeds has.

1. The leader has the highest mean over the seeds that all losses share.
2. A candidate is tied with it that trails by less than the gain that counts, where the 95 %
   interval of the paired difference holds 0.
3. Among the tied ones, the best calibrated on the validation split wins (expected calibration
   error; paired in the same way); among equally calibrated ones the simplest: the baseline before
   others, fewer knobs before more, argmax before a tuned decision.

The winner's run at the median of the validation scores is named, for the highest score says as much
about a lucky split as about a good model. How far the choice hangs on the seeds is measured: random
halves of them choose anew, and the sentence says how often two halves agree.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from src.analysis.runs import FinishedRun, by_setting, in_seeds
from src.analysis.statistics.candidate import Candidate, equal, lead, tied

MOST_NAMED = 4
"""Tied candidates that are named; the others are only counted."""
HALVINGS = 100
HALVING_SEED = 0
FEWEST_SPLITS = 4
"""With fewer, a half would be a single split."""


@dataclass(frozen=True)
class Recommendation:
    """The loss and the decision to take in one setting.

    Attributes:
        setting: hash of what its losses share.
        title: data and model, for people.
        sentence: what to take, and the reason.
        label: of the loss; empty where nothing can be recommended.
        decision: ``argmax`` or ``tuned``.
        name: both, for a sentence.
        run_id: the run to promote.
        details: what it scores on the test split, and which run it is.
        command: that puts the run into the model registry.
        agreement: share of the random halvings of the seeds in which both halves choose the same;
            None with too few seeds.
    """

    setting: str
    title: str
    sentence: str
    label: str = ""
    decision: str = ""
    name: str = ""
    run_id: str = ""
    details: str = ""
    command: str = ""
    agreement: float | None = None


@dataclass(frozen=True)
class _Choice:
    """The winner; and the leader by mean, its ties with it, how many are equally calibrated."""

    winner: Candidate
    leader: Candidate
    ties: list[Candidate]
    equals: int


def recommend(
    runs: Mapping[str, Sequence[FinishedRun]], baseline: str, threshold: float
) -> list[Recommendation]:
    """One recommendation a setting, from the runs that are compared at each decision."""
    settings = {decision: by_setting(found) for decision, found in runs.items()}
    names = dict.fromkeys(name for found in settings.values() for name in found)
    found = [[(each, s[name]) for each, s in settings.items() if name in s] for name in names]
    return [_recommend(dict(one), baseline, threshold) for one in found if len(one[0][1]) > 1]


def _recommend(
    losses: Mapping[str, Mapping[str, Mapping[int, FinishedRun]]], baseline: str, threshold: float
) -> Recommendation:
    """The recommendation in one setting, from runs by decision, label and seed."""
    groups = [of_loss for at_decision in losses.values() for of_loss in at_decision.values()]
    first = next(iter(groups[0].values()))
    setting, title = first.setting, first.title
    seeds = sorted(set.intersection(*map(set, groups)))
    if not seeds:
        return Recommendation(setting, title, "No recommendation: the losses share no seed")
    candidates = [
        Candidate(label, decision, tuple(of_loss[seed] for seed in seeds))
        for decision, at_decision in losses.items()
        for label, of_loss in at_decision.items()
    ]
    if np.isnan([value for one in candidates for value in (*one.scores, *one.errors)]).any():
        reason = "not every run recorded its validation scores; force=true trains them again"
        return Recommendation(setting, title, f"No recommendation: {reason}")
    chosen = _choose(candidates, baseline, threshold)
    winner = chosen.winner
    run = winner.median_run
    if len(chosen.ties) == 1:
        sentence = _lead(winner, [one for one in candidates if one is not winner])
    else:
        sentence = _tie(chosen)
    agreement = _agreement(candidates, baseline, threshold)
    if agreement is not None:
        share = f"{100 * agreement:.0f} % of {HALVINGS} random halvings"
        sentence += f"; the two halves of the seeds agree in {share}"
    return Recommendation(
        setting=setting,
        title=title,
        sentence=sentence,
        label=winner.label,
        decision=winner.decision,
        name=winner.name,
        run_id=run.run_id,
        details=_details(winner, candidates, baseline),
        command=winner.promotes,
        agreement=agreement,
    )


def _choose(candidates: Sequence[Candidate], baseline: str, threshold: float) -> _Choice:
    leader = max(candidates, key=lambda one: one.mean)
    ties = [one for one in candidates if tied(leader, one, threshold)]
    calibrated = min(ties, key=lambda one: float(np.mean(one.errors)))
    equals = [one for one in ties if equal(one, calibrated)]
    winner = min(equals, key=lambda one: one.complexity(baseline))
    return _Choice(winner, leader, ties, len(equals))


def _agreement(candidates: Sequence[Candidate], baseline: str, threshold: float) -> float | None:
    """Share of halvings whose halves choose the same; seeds of one split stay together."""
    splits = {run.seed: run.fingerprint for run in candidates[0].runs}
    names = sorted({*splits.values()})
    if len(names) < FEWEST_SPLITS:
        return None

    @cache
    def chosen_by(half: frozenset[str]) -> tuple[str, str]:
        seeds = [seed for seed, split in splits.items() if split in half]
        winner = _choose([one.on(seeds) for one in candidates], baseline, threshold).winner
        return winner.label, winner.decision

    rng, middle = np.random.default_rng(HALVING_SEED), len(names) // 2
    orders = (rng.permutation(names).tolist() for _ in range(HALVINGS))
    halves = [(frozenset(order[:middle]), frozenset(order[middle:])) for order in orders]
    return float(np.mean([chosen_by(one) == chosen_by(other) for one, other in halves]))


def _lead(winner: Candidate, others: Sequence[Candidate]) -> str:
    """The sentence where nothing is tied with the leader."""
    seeds = in_seeds(len(winner.runs))
    next_best = max(others, key=lambda one: one.mean)
    ahead = lead(winner, next_best)
    by, unsure = f"{ahead.mean:.1f} pp", "; one seed does not make that sure"
    if ahead.seeds > 1:
        by += f" [{ahead.low:.1f}, {ahead.high:.1f}]"
        unsure = f"; {seeds} do not make that sure" if ahead.low <= 0 else ""
    return (
        f"Take {winner.name}: its macro F1 on the validation split, {winner.mean:.4f} over "
        f"{seeds}, is the highest, {by} above the next, {next_best.name}{unsure}"
    )


def _tie(chosen: _Choice) -> str:
    """The sentence where several are tied."""
    winner, leader, ties, equals = chosen.winner, chosen.leader, chosen.ties, chosen.equals
    error = f"(expected calibration error {np.mean(winner.errors):.3f})"
    if equals == 1:
        reason = f"the best calibrated {error}"
    elif equals == len(ties):
        reason = f"none is better calibrated {error}, none simpler"
    else:
        reason = f"of the {equals} best calibrated {error} none is simpler"
    behind = 100 * max(leader.mean - one.mean for one in ties)
    order = sorted(ties, key=lambda one: (one is not winner, -one.mean))
    names = [one.name for one in order[:MOST_NAMED]]
    more = len(order) - len(names)
    names += [f"{more} other{'s' if more > 1 else ''}"] if more else []
    return (
        f"{', '.join(names[:-1])} and {names[-1]} are indistinguishable here (validation macro F1 "
        f"within {behind:.1f} pp over {in_seeds(len(winner.runs))}); take {winner.name}: {reason}"
    )


def _details(winner: Candidate, candidates: Sequence[Candidate], baseline: str) -> str:
    """The winner on the test split, the baseline by argmax beside it."""
    by_argmax = (one for one in candidates if one.decision == "argmax" and one.is_of(baseline))
    plain = next(by_argmax, winner)
    estimand = winner.runs[0].estimand
    fresh = estimand in {"samples", "trainings"}
    where = "On the test split, which had no part in the choice"
    where = where if fresh else "On the test splits, whose rows other seeds validated on"
    latest = ", of those of the latest origin," if estimand == "periods" else ""
    beside = "" if plain is winner else f" ({plain.name}: {plain.on_test})"
    return (
        f"{where}, its macro F1 is {winner.on_test}{beside}. Its run at the median of the "
        f"validation scores{latest} has seed {winner.median_run.seed}"
    )
