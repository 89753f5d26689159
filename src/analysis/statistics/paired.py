"""Paired comparison of losses: the same splits and seeds, one difference per seed."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from src.analysis.runs import SCORE, FinishedRun, by_setting
from src.analysis.statistics.comparison import Comparison
from src.analysis.statistics.design import design_of
from src.analysis.statistics.estimate import Estimate, estimate
from src.analysis.statistics.verdict import PValues, correct, p_values
from src.errors import UserError, words
from src.runs.labels import short_label

THRESHOLD_PP = 2.0


def compare(
    runs: Sequence[FinishedRun],
    baseline: str = "ce",
    threshold: float = THRESHOLD_PP,
    decision: str = "argmax",
    *,
    anytime: bool = False,
) -> list[Comparison]:
    """Every loss against the baseline, setting by setting, paired by seed.

    Args:
        runs: finished runs; the last counts where several have the same setting, loss and seed.
            Runs without a score at this decision do not count.
        baseline: name or label of a loss.
        threshold: gain that counts, percentage points.
        decision: ``argmax`` or ``tuned``.
        anytime: for intervals that hold however often one looks.

    Returns:
        One comparison for each loss and setting, best mean difference first within a setting;
        corrected for those of its setting (:func:`corrected` takes the other decision in).

    Raises:
        UserError: where there is nothing to compare, where the baseline is not among the runs or
            stands for several losses, or where a pair was not trained on the same splits.
    """
    scored = [run for run in runs if run.score(decision) is not None]
    if not scored:
        raise UserError(
            f"--decision {decision}: no run has recorded {SCORE[decision]}; force=true trains again"
        )
    settings = by_setting(scored)
    bases = {setting: _baseline_label(losses, baseline) for setting, losses in settings.items()}
    if not any(bases.values()):
        known = words(sorted({label for losses in settings.values() for label in losses}))
        raise UserError(f"--baseline {baseline}: is not among the runs; there are {known}")
    found: list[Comparison] = []
    for setting, losses in settings.items():
        base = losses.get(bases[setting], {})
        pairs = [
            paired(runs, base, threshold, (decision, decision), anytime=anytime)
            for label, runs in losses.items()
            if label != bases[setting] and set(runs) & set(base)
        ]
        found += sorted(pairs, key=lambda pair: -pair.mean)
    if not found:
        raise UserError(
            f"nothing to compare with {baseline}: no other loss shares a seed with it; "
            "python train.py -m loss=ce,focal 'seed=range(0,10)' makes such runs"
        )
    return corrected(found)


def corrected(found: Sequence[Comparison]) -> list[Comparison]:
    """The comparisons, at all decisions shown, with p by Holm over those of the same setting."""
    families: dict[str, list[PValues]] = defaultdict(list)
    for one in found:
        families[one.setting].append(p_values(one.estimate, one.threshold))
    by_holm = {setting: iter(correct(family)) for setting, family in families.items()}
    return [
        replace(one, comparisons=len(families[one.setting]), corrected=next(by_holm[one.setting]))
        for one in found
    ]


def estimate_over(
    runs: Sequence[FinishedRun], differences: Sequence[float], *, anytime: bool = False
) -> Estimate:
    """The mean of differences (percentage points), with the interval that fits the runs' splits."""
    splits = [run.fingerprint for run in runs]
    return estimate(differences, splits, design_of(runs), anytime=anytime)


def _baseline_label(losses: Mapping[str, Mapping[int, FinishedRun]], baseline: str) -> str:
    """The label that a baseline's name or label stands for in a setting; empty without such."""
    if baseline in losses:
        return baseline
    matches = [
        label
        for label, runs in losses.items()
        if baseline in {next(iter(runs.values())).loss, short_label(label)}
    ]
    if len(matches) > 1:
        raise UserError(
            f"--baseline {baseline}: stands for several losses; there are {words(sorted(losses))}"
        )
    return matches[0] if matches else ""


def paired(
    runs: Mapping[int, FinishedRun],
    base: Mapping[int, FinishedRun],
    threshold: float,
    decisions: tuple[str, str],
    *,
    anytime: bool = False,
) -> Comparison:
    """Compares runs of one loss with those of another, by seed, over the seeds that both have.

    ``decisions`` are those of the one and of the other.

    Raises:
        UserError: where a pair was not trained on the same splits.
    """
    seeds = tuple(sorted(set(runs) & set(base)))
    for seed in seeds:
        if runs[seed].fingerprint != base[seed].fingerprint:
            raise UserError(
                f"seed {seed}: {runs[seed].label} and {base[seed].label} were trained on different "
                "splits; force=true trains both again on today's data"
            )
    metric, of_base = (SCORE[decision] for decision in decisions)
    scores = tuple(runs[seed].metrics[metric] for seed in seeds)
    base_scores = tuple(base[seed].metrics[of_base] for seed in seeds)
    differences = [100 * (a - b) for a, b in zip(scores, base_scores, strict=True)]
    found = estimate_over([runs[seed] for seed in seeds], differences, anytime=anytime)
    first = runs[seeds[0]]
    return Comparison(
        setting=first.setting,
        title=first.title,
        decision=decisions[0],
        loss=first.loss,
        label=first.label,
        baseline=base[seeds[0]].label,
        seeds=seeds,
        scores=scores,
        baseline_scores=base_scores,
        without_loss=tuple(sorted(set(base) - set(runs))),
        without_baseline=tuple(sorted(set(runs) - set(base))),
        estimate=found,
        corrected=p_values(found, threshold),
        comparisons=1,
        threshold=threshold,
        tuning=first.terms,
    )
