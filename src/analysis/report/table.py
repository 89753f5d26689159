"""The one table of the report: a row for each loss, and for each reference below."""

from dataclasses import dataclass

from src.analysis.answer import Answer
from src.analysis.report.text import difference, number
from src.analysis.runs import DECISIONS, LEARNING_RATE, SCORE, key_words
from src.analysis.statistics.losses import LossRow, LossSummary, summarise

BESIDE = {
    "rarest_class_f1": "F1 of {rare}",
    "rarest_class_recall": "its recall",
    "test_average_precision": "AP",
    "test_ece": "ECE",
}
"""Scores beside macro F1, and the heads of their columns."""


@dataclass(frozen=True)
class TableRow:
    """One row of the table, as text; the names of the columns are those of the template.

    Attributes:
        label: of the loss or the estimator, for its colour.
        name: as people read it.
        chosen: its settings, or what it is.
        f1: macro F1 by decision.
        difference: with its interval.
        beside: the scores of ``BESIDE``.
        badge: the verdict, or ``baseline``.
    """

    label: str
    name: str
    chosen: str
    f1: list[str]
    difference: str
    beside: list[str]
    badge: str


def decisions(answer: Answer) -> list[str]:
    """Both that are shown, argmax first."""
    return sorted((answer.decision, answer.other_decision), key=DECISIONS.index)


def table(answer: Answer, setting: str) -> list[TableRow]:
    """The losses of a setting, best on the validation split first."""
    return [_row(answer, row) for row in answer.by_validation(setting)]


def for_scale(answer: Answer, setting: str) -> list[TableRow]:
    """The references of a setting, each at the decision that validation prefers."""
    found = []
    for decided in answer.scale[setting].by_label.values():
        best = max(decided.values(), key=lambda row: row.at.mean)
        scores = [decided[one].score if one in decided else None for one in decisions(answer)]
        found.append(
            TableRow(
                label=best.at.label,
                name=best.at.short,
                chosen=f"no network, by {best.at.decision}",
                f1=[number(one, ".3f") for one in scores],
                difference=difference(best.against),
                beside=_beside(summarise(best.at.runs)[0], best.at.decision),
                badge=best.against.verdict,
            )
        )
    return found


def _row(answer: Answer, row: LossRow) -> TableRow:
    by_decision = {answer.decision: row.loss, answer.other_decision: row.other_loss}
    losses = [(SCORE[one], by_decision[one]) for one in decisions(answer)]
    return TableRow(
        label=row.loss.label,
        name=row.loss.short,
        chosen=_chosen(answer, row.loss),
        f1=[number(loss.means.get(name) if loss else None, ".3f") for name, loss in losses],
        difference=difference(row.found),
        beside=_beside(row.loss, answer.decision),
        badge=row.found.verdict if row.found else "baseline",
    )


def _beside(loss: LossSummary, decision: str) -> list[str]:
    scores = loss.scores(decision)
    return [number(scores[name], ".3f") for name in BESIDE]


def _chosen(answer: Answer, loss: LossSummary) -> str:
    """``learning rate 0.01 (7 of 10), 0.03``, or the rate that was given."""
    for one in answer.best[answer.decision].choices:
        if (one.setting, one.label) == (loss.setting, loss.label):
            parts = []
            for key in one.keys:
                counts = one.counts(key)
                values = [f"{v} x {n}" if len(counts) > 1 else v for v, n in counts.items()]
                parts.append(f"{key_words([key])} {', '.join(values)}")
            return "; ".join(parts)
    rate = loss.runs[0].params.get(LEARNING_RATE, "")
    return f"learning rate {rate}, given" if rate else ""
