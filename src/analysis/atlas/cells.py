"""The cells of the atlas: each loss against the baseline in one problem with one budget.

A cell is one problem (data, imbalance ratio, share of hard negatives, label noise) with one effort
(training budget and capacity). Each is compared in two views: at one learning rate for all losses,
and with each loss at its own best, which validation chooses within each seed.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from src.analysis.runs import LEARNING_RATE, SHOWN, FinishedRun, by_setting
from src.analysis.statistics.comparison import Comparison
from src.analysis.statistics.losses import MARK
from src.analysis.statistics.paired import compare
from src.analysis.tuned import at_best
from src.errors import UserError

VIEWS = ("given", "best")
EPOCHS = "training.epochs"
BESIDE = {"average precision": "average_precision", "ECE": "ece"}
"""Scores of the same runs beside macro F1, for ranking and calibration, 0 to 1."""
ESTIMATED = ("mean", "low", "high", "standard_error", "df")
DETAILS = {"data.problem": "problem {:g}", "data.hard_fraction": "{:.0%} hard negatives"}
NOISE, USUAL_NOISE = "data.flip_y", 0.01


def compare_cells(runs: Sequence[FinishedRun], baseline: str, rate: float) -> list[dict[str, Any]]:
    """One row for each cell, loss, decision and view; ``given`` is at one learning rate, ``rate``.

    Returns:
        Rows with ``loss``, ``baseline``, ``decision``, ``view``, what names and sorts the cell, the
        ``differences`` by draw of data (percentage points), what is ``ESTIMATED`` from them and
        their ``p``, the baseline's mean score ``base``, and differences in the scores of
        ``BESIDE``, also by draw.

    Raises:
        UserError: where there is nothing to compare.
    """
    rows = []
    given = [run for run in runs if float(run.params[LEARNING_RATE]) == rate]
    for decision in SHOWN:
        for view, chosen in zip(VIEWS, (given, _best(runs, decision)), strict=True):
            if len({run.label for run in chosen}) > 1:
                settings = by_setting(chosen)
                rows += [
                    _row(settings[one.setting], one) | {"view": view}
                    for one in compare(chosen, baseline, decision=decision)
                    if len(one.seeds) > 1
                ]
    if not rows:
        raise UserError(f"--baseline {baseline}: no other loss shares two seeds with it")
    return rows


def rates_chosen(runs: Sequence[FinishedRun], decision: str) -> dict[tuple[str, str], Counter[str]]:
    """Counts of the learning rates that validation chose, by loss and epochs of the budget."""
    found: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for run in _best(runs, decision):
        found[run.label, run.params[EPOCHS]][run.params[LEARNING_RATE]] += 1
    return found


def _best(runs: Sequence[FinishedRun], decision: str) -> list[FinishedRun]:
    """Each loss at its best within each budget, which is a factor here and no choice."""
    budgets: dict[str, list[FinishedRun]] = defaultdict(list)
    for run in runs:
        budgets[run.params[EPOCHS]].append(run)
    best = (run for alike in budgets.values() for run in at_best(alike, decision).runs)
    return [run for run in best if LEARNING_RATE in run.tuned]


def _row(losses: Mapping[str, Mapping[int, FinishedRun]], one: Comparison) -> dict[str, Any]:
    of_loss = [losses[one.label][seed] for seed in one.seeds]
    of_base = [losses[one.baseline][seed] for seed in one.seeds]
    run = of_loss[0]
    draws = [f"{run.data} {seed}" for seed in one.seeds]
    beside = {name: MARK[one.decision] + score for name, score in BESIDE.items()}
    return {
        "loss": one.label,
        "baseline": one.baseline,
        "decision": one.decision,
        "base": sum(one.baseline_scores) / len(one.seeds),
        "differences": dict(zip(draws, one.differences, strict=True)),
        **{name: getattr(one.estimate, name) for name in ESTIMATED},
        "p": one.p,
        **_factors(run),
        **{
            name: {
                draw: a.metrics[metric] - b.metrics[metric]
                for draw, a, b in zip(draws, of_loss, of_base, strict=True)
                if metric in a.metrics and metric in b.metrics
            }
            for name, metric in beside.items()
        },
    }


def _factors(run: FinishedRun) -> dict[str, Any]:
    """The names of a cell; a table is known by its file, every other source by its name."""
    most, least = max(run.class_counts, default=0), min(run.class_counts, default=1)
    counted = run.params.get("data.imbalance_ratio", most / max(least, 1))
    exact = 1.0 if run.params.get("data.profile") == "none" else float(counted)
    ratio = round(float(f"{exact:.2g}"))
    data = run.data or run.params.get("data.name", run.title)
    source = ", ".join([data, *_details(run.params)])
    hidden = run.params.get("model.hidden") or run.params.get("model.name", "")
    epochs = int(run.params[EPOCHS])
    return {
        "data": data,
        "source": source,
        "ratio": ratio,
        "epochs": epochs,
        "widths": (len(hidden), hidden),
        "problem": f"{source}, ratio {ratio}",
        "effort": f"{epochs} epochs, {hidden}",
    }


def _details(params: Mapping[str, str]) -> Iterator[str]:
    for key, words in DETAILS.items():
        if params.get(key, "None") != "None":
            yield words.format(float(params[key]))
    if (noise := float(params.get(NOISE, USUAL_NOISE))) != USUAL_NOISE:
        yield f"{noise:.0%} random labels"
