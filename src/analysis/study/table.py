"""The table of the study: one row for each data set, method and decision (``sets.csv``).

Columns of a row:

==================  ================================================================================
data, family        name of the set, and of its family: sets of one family share rows
rows, columns       of the whole set; columns is empty where it is not known, as ``overlap`` is
classes, ratio      how many classes; rows of the largest one over those of the rarest
rarest_rows         of the rarest class, in the whole set
overlap             how much the classes overlap, 0 to 1 (:mod:`src.evaluation.overlap`)
kind                ``network`` or ``reference``
method              label of the loss, with its sampling; or of an estimator without a network;
                    ``ANY_NETWORK`` and ``ANY_REFERENCE`` are the one that validation chose
decision            ``argmax``, ``tuned``, ``prior``; or ``chosen``, by validation within each seed
seeds, trials       seeds shared with cross-entropy; settings that each seed chose from
score               mean test macro F1, 0 to 1
difference          mean over the seeds of macro F1 minus that of cross-entropy at the same
                    decision, percentage points
se, df, low, high   its standard error, degrees of freedom and 95 % interval
p, verdict          of no difference; and what is known of it, both corrected by Holm over the
                    methods of the set at this decision (``p`` is not)
over_argmax         the same difference to cross-entropy at argmax: loss and decision together;
                    ``over_argmax_se``, ``_df``, ``_low`` and ``_high`` beside it
ece                 expected calibration error on the test split, mean over the seeds, 0 to 1
average_precision   macro average precision on the test split, 0 to 1
==================  ================================================================================

Every method is at its best: of its trials with one seed, the one that validation chooses.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from src.analysis.runs import DECISIONS, NETWORK, REFERENCE, SCORE, FinishedRun
from src.analysis.statistics.estimate import Estimate
from src.analysis.statistics.losses import MARK
from src.analysis.statistics.paired import THRESHOLD_PP, estimate_over
from src.analysis.statistics.verdict import correct, p_values
from src.analysis.study.facts import FACTS, facts_of
from src.analysis.tuned import at_best
from src.errors import UserError, words

ANY_NETWORK, ANY_REFERENCE = "any network", "any reference"
CHOSEN = "chosen"
ANY = {NETWORK: ANY_NETWORK, REFERENCE: ANY_REFERENCE}
BESIDE = ("ece", "average_precision")
ENDS = ("se", "df", "low", "high")
COLUMNS = (
    *("data", "family", *FACTS, "kind", "method", "decision", "seeds", "trials", "score"),
    *("difference", *ENDS, "p", "verdict", "over_argmax", *(f"over_argmax_{end}" for end in ENDS)),
    *BESIDE,
)
LEAST_SEEDS = 2
Chosen = dict[int, tuple[FinishedRun, str]]
"""By seed: the run that validation chose, and the decision that it is scored at."""
Methods = dict[tuple[str, str], Chosen]
"""By method and decision."""


@dataclass(frozen=True)
class Study:
    """The comparisons of a study, set by set.

    Attributes:
        sets: one row per data set, method and decision; see above.
        against: the same of the baseline and of ``ANY_NETWORK`` against each reference, whose name
            is in ``against``, at the same decision.
        runs: how many were read.
        baseline: label that differences are taken from.
        left_out: a sentence on each set or run that is not in the table, with the reason.
    """

    sets: pd.DataFrame
    against: pd.DataFrame
    runs: int
    baseline: str
    left_out: list[str]


def tabulate(
    runs: Sequence[FinishedRun],
    baseline: str = "ce",
    facts: Mapping[str, Mapping[str, float]] | None = None,
    left_out: Iterable[str] = (),
) -> Study:
    """Compares every method with the baseline on every data set.

    Args:
        runs: finished ones, of networks and of estimators.
        baseline: label of a loss.
        facts: by data set, what is known of ``FACTS`` beyond what the runs say.
        left_out: sentences on runs that could not be read.

    Raises:
        UserError: where no data set has two seeds of the baseline, or one has several settings.
    """
    by_set: dict[str, list[FinishedRun]] = defaultdict(list)
    for run in runs:
        by_set[run.data].append(run)
    rows: list[dict[str, Any]] = []
    against: list[dict[str, Any]] = []
    lacking = list(left_out)
    for data, of_set in sorted(by_set.items()):
        methods, trials = _methods(of_set)
        known = facts_of(of_set) | dict((facts or {}).get(data, {}))
        known = {"data": data, "family": of_set[0].family or data} | known
        found = _rows(methods, baseline)
        if not found:
            lacking.append(f"{data}: has fewer than {LEAST_SEEDS} seeds of {baseline}")
        rows += [known | row | {"trials": trials[row["method"]]} for row in found]
        references = {row["method"] for row in found if row["kind"] == REFERENCE}
        against += [
            known | row | {"against": reference}
            for reference in sorted(references)
            for row in _rows(methods, reference, {baseline, ANY_NETWORK})
        ]
    if not rows:
        losses = words(sorted({run.label for run in runs if run.kind == NETWORK}))
        raise UserError(
            f"--baseline {baseline}: no data set has {LEAST_SEEDS} seeds of it; there are {losses}"
        )
    sets = pd.DataFrame(rows)[list(COLUMNS)]
    return Study(sets, pd.DataFrame(against), len(runs), baseline, lacking)


def _methods(runs: Sequence[FinishedRun]) -> tuple[Methods, dict[str, int]]:
    """The chosen runs by method and decision, and how many trials each method had."""
    found: Methods = defaultdict(dict)
    trials: dict[str, int] = defaultdict(lambda: 1)
    for decision in DECISIONS:
        best = at_best(runs, decision)
        for choice in best.choices:
            trials[choice.label] = max(choice.trials.values())
        for run in best.runs:
            again = found[run.label, decision].setdefault(run.seed, (run, decision))[0]
            if again.setting != run.setting:
                raise UserError(
                    f"{run.data}: {run.label} seed {run.seed} was trained in several settings, "
                    f"{again.title} and {run.title}; --filter picks out one"
                )
    kinds = {method: next(iter(chosen.values()))[0].kind for (method, _), chosen in found.items()}
    for kind, name in ANY.items():
        alike = [method for method, each in kinds.items() if each == kind]
        trials[name] = sum(trials[method] for method in alike)
        for decision in DECISIONS:
            _add_chosen(found, (name, decision), [(method, decision) for method in alike])
    for method in [*kinds, *ANY.values()]:
        _add_chosen(found, (method, CHOSEN), [(method, decision) for decision in DECISIONS])
    return found, trials


def _add_chosen(found: Methods, key: tuple[str, str], among: Sequence[tuple[str, str]]) -> None:
    """Adds, by seed, the best of several methods or decisions on the validation split."""
    best: Chosen = {}
    several = [found[one] for one in among if one in found]
    for chosen in several:
        for seed, one in chosen.items():
            if seed not in best or _validation(one) > _validation(best[seed]):
                best[seed] = one
    if len(several) > 1:
        found[key] = best


def _validation(one: tuple[FinishedRun, str]) -> float:
    return one[0].on_validation(one[1])


def _rows(methods: Methods, baseline: str, among: Iterable[str] = ()) -> list[dict[str, Any]]:
    """One row per method and decision of a data set, of all methods or of some."""
    rows: list[dict[str, Any]] = []
    plain = methods.get((baseline, DECISIONS[0]), {})
    for decision in [*DECISIONS, CHOSEN]:
        base = methods.get((baseline, decision), {})
        found = [
            _row(method, each, chosen, base, plain)
            for (method, each), chosen in methods.items()
            if each == decision and len(set(chosen) & set(base) & set(plain)) >= LEAST_SEEDS
            if not among or method in among
        ]
        tested = [row for row in found if row["method"] not in {baseline, *ANY.values()}]
        corrected = correct([p_values(row["estimate"], THRESHOLD_PP) for row in tested])
        for row, p in zip(tested, corrected, strict=True):
            row["verdict"] = p.verdict(row["difference"])
        rows += found
    return rows


def _row(method: str, decision: str, chosen: Chosen, base: Chosen, plain: Chosen) -> dict[str, Any]:
    seeds = sorted(set(chosen) & set(base) & set(plain))
    runs = [chosen[seed][0] for seed in seeds]
    own, over = (_difference(chosen, other, seeds) for other in (base, plain))
    beside = {
        name: float(np.mean([_metric(*chosen[seed], name) for seed in seeds])) for name in BESIDE
    }
    return {
        "kind": runs[0].kind,
        "method": method,
        "decision": decision,
        "seeds": len(seeds),
        "score": float(np.mean([_score(chosen[seed]) for seed in seeds])),
        "difference": own.mean,
        **_ends(own, ""),
        "p": own.p_at(0),
        "verdict": "",
        "over_argmax": over.mean,
        **_ends(over, "over_argmax_"),
        **beside,
        "estimate": own,
    }


def _difference(chosen: Chosen, base: Chosen, seeds: Sequence[int]) -> Estimate:
    """Percentage points of macro F1, with the interval of re-splits of one table."""
    for seed in seeds:
        one, other = chosen[seed][0], base[seed][0]
        if one.fingerprint != other.fingerprint:
            raise UserError(
                f"{one.data} seed {seed}: {one.label} and {other.label} were trained on different "
                "splits; force=true trains both again on today's data"
            )
    gains = [100 * (_score(chosen[seed]) - _score(base[seed])) for seed in seeds]
    return estimate_over([chosen[seed][0] for seed in seeds], gains)


def _ends(found: Estimate, before: str) -> dict[str, float]:
    names = {"se": "standard_error", "df": "df", "low": "low", "high": "high"}
    return {f"{before}{short}": float(getattr(found, name)) for short, name in names.items()}


def _score(one: tuple[FinishedRun, str]) -> float:
    run, decision = one
    return run.metrics[SCORE[decision]]


def _metric(run: FinishedRun, decision: str, name: str) -> float:
    """A score of the probabilities, at the epoch of a decision where it has one of its own."""
    plain = run.metrics.get(f"test_{name}", float("nan"))
    return run.metrics.get(f"{MARK[decision]}{name}", plain)
