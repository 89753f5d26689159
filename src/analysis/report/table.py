"""The one table of the report: a row for each loss, and for each reference below."""

from dataclasses import dataclass

from src.analysis.answer import Answer
from src.analysis.report.text import interval_in_short, number
from src.analysis.runs import CRITERIA, DECISIONS, LEARNING_RATE, SCORE, key_words
from src.analysis.statistics.losses import LossRow, LossSummary, summarise


@dataclass(frozen=True)
class TableRow:
    """One row of the table, as text; the names of the columns are those of the template.

    Attributes:
        label: of the loss or the estimator, for its colour.
        name: as people read it.
        chosen: its settings, or what it is.
        f1: macro F1 by decision.
        difference: with its interval.
        beside: F1 and recall of the rarest class, average precision, calibration.
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
    rows, name = answer.rows(setting), CRITERIA[answer.decision]
    if all(name in row.loss.means for row in rows):
        rows = sorted(rows, key=lambda row: -row.loss.means[name])
    return [_row(answer, row) for row in rows]


def for_scale(answer: Answer, setting: str) -> list[TableRow]:
    """The references of a setting, each at the decision that validation prefers."""
    if setting not in answer.scale:
        return []
    found = []
    for decided in answer.scale[setting].by_label.values():
        best = max(decided.values(), key=lambda row: row.at.mean)
        loss = summarise(best.at.runs)[0]
        found.append(
            TableRow(
                label=best.at.label,
                name=best.at.short,
                chosen=f"no network, by {best.at.decision}",
                f1=[
                    number(decided[d].score, ".3f") if d in decided else ""
                    for d in decisions(answer)
                ],
                difference=f"{best.against.mean:+.1f} {interval_in_short(best.against)}",
                beside=_beside(loss, best.at.decision),
                badge=best.against.verdict,
            )
        )
    return found


def _row(answer: Answer, row: LossRow) -> TableRow:
    by_decision = {answer.decision: row.loss, answer.other_decision: row.other_loss}
    found = row.found
    return TableRow(
        label=row.loss.label,
        name=row.loss.short,
        chosen=_chosen(answer, row.loss),
        f1=[
            number(loss.means.get(SCORE[d]), ".3f") if (loss := by_decision[d]) else ""
            for d in decisions(answer)
        ],
        difference=f"{found.mean:+.1f} {interval_in_short(found)}" if found else "",
        beside=_beside(row.loss, answer.decision),
        badge=found.verdict if found else "baseline",
    )


def _beside(loss: LossSummary, decision: str) -> list[str]:
    scores = loss.scores(decision)
    names = ("rarest_class_f1", "rarest_class_recall", "test_average_precision", "test_ece")
    return [number(scores[name], ".3f") for name in names]


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
