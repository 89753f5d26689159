"""Sentences beside a comparison: the settings that were chosen, and the limits of the search."""

import shlex
from collections import defaultdict
from collections.abc import Iterable, Sequence
from statistics import mean

from src.analysis.runs import LEARNING_RATE, SCORE, FinishedRun, in_seeds, key_words, with_titles
from src.analysis.selection import Selection
from src.analysis.statistics.comparison import Comparison
from src.analysis.statistics.losses import LossSummary, not_compared
from src.analysis.statistics.recommendation import Recommendation
from src.analysis.tuned import Choice, Values
from src.runs.labels import short_label

MANY = 1 / 3
"""Share of the seeds above which an edge or a last epoch is no accident."""
EPOCHS = "training.epochs"
NOT_TUNED = ("tuning=", f"{LEARNING_RATE}=")
"""Words of a command that tuning the learning rate replaces."""
BRIDGES = {
    "undecided": "The verdict against {} is undecided: a gain is possible, not shown",
    "equivalent": "The verdict is that {} does as well in practice",
    "better": "The verdict on the test split is better than {} too",
    "gain": "The verdict on the test split is a gain over {} too",
}
"""Sentences that lead from a recommendation to the verdict on it, by verdict."""
BEST = ("best_epoch", "best_epoch_tuned")
"""Metrics: the best epoch for each decision."""


def choice_notes(choices: Iterable[Choice]) -> list[str]:
    """The settings chosen for each loss, how often, and of how many trials."""
    return [f"{short_label(one.label)}: {one.words}{trials(one)}" for one in choices]


def search_notes(choices: Sequence[Choice]) -> list[str]:
    """Ends of a grid that are often the best, each in a sentence; and unequal numbers of trials."""
    at: dict[tuple[str, str, Values], list[str]] = defaultdict(list)
    for one in choices:
        for key in one.keys:
            for value, count in one.at_edge(key).items():
                if count > MANY * len(one.chosen):
                    often = f"{short_label(one.label)} ({count} of {in_seeds(len(one.chosen))})"
                    at[key, value, one.grid[key]].append(often)
    said = [
        f"{key_words([key])} {value} lies at the edge of the grid and is best for "
        f"{', '.join(losses)}; a wider grid may hold a better one{_wider(key, grid, value)}"
        for (key, value, grid), losses in at.items()
    ]
    counts = {one.label: sum(one.trials.values()) / len(one.trials) for one in choices}
    if len(set(counts.values())) > 1:
        numbers = ", ".join(f"{short_label(label)} {count:.3g}" for label, count in counts.items())
        said.append(
            f"The losses had different numbers of trials a seed ({numbers}): more find a better one"
        )
    return said


def budget_notes(losses: Iterable[LossSummary]) -> list[str]:
    """A sentence where the best epoch is often the last one that the budget allows."""
    short, budget = [], 0
    for loss in losses:
        last = max(([run for run in loss.runs if _ends_best(run, one)] for one in BEST), key=len)
        if len(last) > MANY * len(loss.runs) and EPOCHS not in last[0].tuned:
            short.append(f"{loss.short} for {len(last)} of {in_seeds(len(loss.runs))}")
            budget = max(budget, *(int(run.params[EPOCHS]) for run in last))
    if not short:
        return []
    return [
        f"The budget is too short: at one of the decisions the best epoch is the last of {budget} "
        f"with {', '.join(short)}; {EPOCHS}={2 * budget} gives it more"
    ]


def untuned_note(run: FinishedRun, command: str) -> str:
    """Says where no learning rate was chosen, so that each loss at its best is not known.

    ``command`` is the sweep's; empty without a sweep.
    """
    if LEARNING_RATE in run.tuned or LEARNING_RATE not in run.params:
        return ""
    typed = tuning_command(command)
    return f"Each loss at its own best learning rate is not known; this finds it: {typed}"


def tuning_command(command: str) -> str:
    """The same sweep with each loss at its own best learning rate."""
    words = [word for word in shlex.split(command) if not word.startswith(NOT_TUNED)]
    return f"python {shlex.join(words) or 'train.py -m ...'} tuning=learning_rate"


def seeds_note(selection: Selection, seeds: set[int]) -> str:
    """Says where more seeds are compared than were planned, or some were compared before."""
    said = []
    more = len(seeds - set(selection.planned))
    if selection.planned and more:
        planned = in_seeds(len(selection.planned))
        said.append(f"the sweep planned {planned}, and {more} more are compared")
    if selection.seen_before:
        before = in_seeds(selection.seen_before)
        said.append(f"an earlier sweep compared these losses over {before} of the {len(seeds)}")
    if not said:
        return ""
    return (
        f"The number of seeds was not fixed beforehand: {'; '.join(said)}. Where a result led to "
        "more seeds, the 95 % interval holds less often than that; --anytime gives one that stays "
        "valid however often one looks"
    )


def split_notes(found: Comparison) -> list[str]:
    """Questions that the splits of a comparison leave open."""
    design, count = found.estimate.design, len(found.seeds)
    said = []
    if design.estimand == "trainings":
        said.append(
            "The test rows are given: whether others would show the same is not in the interval"
        )
    if design.estimand == "periods":
        said.append(
            "The periods are of one history: where what changes from one to the next goes on, a "
            "later period can lie outside the interval"
        )
    if count > 1 and count % design.a_round:
        whole = f"{found.in_seeds} are no whole round of {design.parts}"
        said.append(f"{whole}: {design.word(count)} tests all as often")
    return said


def left_out_notes(
    selection: Selection, compared: Sequence[Comparison], decision: str
) -> list[str]:
    """A sentence on each run, or group of runs, that is in no comparison."""
    scored = [run for run in with_titles(selection.runs) if run.score(decision) is not None]
    left_out = [*selection.left_out, *not_compared(scored, compared)]
    splits = {(run.seed, run.fingerprint) for run in selection.runs}
    strange = sum((run.seed, run.fingerprint) not in splits for run in selection.references)
    if strange:
        left_out.append(f"{strange} reference(s) on splits that no loss has")
    if lacking := len(selection.runs) - len(scored):
        left_out.append(f"{lacking} run(s) without {SCORE[decision]}; force=true trains them again")
    return left_out


def scores_in_sight(selection: Selection, decision: str) -> str:
    """Mean scores of losses and references, for where these cannot be compared."""
    if not selection.references:
        return ""
    scores: dict[str, list[float]] = defaultdict(list)
    for run in [*selection.runs, *selection.references]:
        scores[run.label].append(run.score(decision) or 0.0)
    lines = [f"\n  {label}: {mean(all_of):.4f}" for label, all_of in scores.items()]
    return f"\nMean test macro F1 of what there is:{''.join(lines)}"


def bridge(advice: Recommendation, comparisons: Iterable[Comparison]) -> str:
    """A recommendation in the light of the verdicts on the test split; empty without a verdict."""
    mine = [
        one
        for one in comparisons
        if (one.setting, one.decision) == (advice.setting, advice.decision)
        and advice.label in {one.label, one.baseline}
    ]
    for one in mine:
        against = {"worse", "loss"} if one.label == advice.label else {"gain", "better"}
        if one.verdict in against:
            return (
                f". The verdict on the test split points the other way ({one.headline}): the "
                "choice is made on the validation split alone, so that no test score is flattered "
                "by it"
            )
    own = next((one for one in mine if one.label == advice.label), None)
    return "" if own is None else f". {BRIDGES[own.verdict].format(own.base)}"


def trials(choice: Choice) -> str:
    """`` (5 trials a seed)``."""
    counts = sorted(set(choice.trials.values()))
    return f" ({' to '.join(map(str, counts[:: max(1, len(counts) - 1)]))} trials a seed)"


def _wider(key: str, grid: Sequence[str], edge: str) -> str:
    """The word for a grid with one more value beyond its edge."""
    values = [float(value) for value in grid]
    if not key.startswith("training.") or values[0] <= 0:
        return ""
    if edge == grid[0]:
        grown = [f"{values[0] ** 2 / values[1]:.2g}", *grid]
    else:
        grown = [*grid, f"{values[-1] ** 2 / values[-2]:.2g}"]
    return f": {key}={','.join(grown)}"


def _ends_best(run: FinishedRun, best_epoch: str) -> bool:
    best = run.metrics.get(best_epoch)
    return best is not None and run.params.get(EPOCHS) == f"{best:.0f}"
