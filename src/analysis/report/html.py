"""The report: one HTML file that needs nothing else, for a browser, the MLflow UI, and print."""

from dataclasses import dataclass
from pathlib import Path

from src.analysis.answer import Answer
from src.analysis.figures.differences import by_seed, overview
from src.analysis.figures.evidence import MOST_SEEDS, LossEvidence
from src.analysis.figures.panel import LINES, Panel
from src.analysis.figures.predictions import (
    confusion_matrix,
    precision_recall_curves,
    reliability_diagram,
)
from src.analysis.figures.training import by_epoch, focal_curves
from src.analysis.for_scale import ForScale
from src.analysis.report.sections import page_templates
from src.analysis.report.text import HOW, bounds, mean_and_sd, number, p_value
from src.analysis.runs import SCORE, FinishedRun
from src.analysis.statistics.comparison import Comparison
from src.analysis.statistics.losses import LossSummary
from src.analysis.tuned import Values

HTML = "report.html"
MOST_SETTINGS = 4
"""Settings that have pictures of their own; the tables hold every one."""
MOST_LOSSES = len(LINES)
UI = "http://127.0.0.1:5000"


@dataclass(frozen=True)
class Section:
    """One setting of the report.

    Attributes:
        title: data and model.
        comparisons: best first.
        losses: the baseline first.
        given: comparisons at given settings that these were chosen from.
        values: of the tuned keys in each given setting.
        notes: what has to be said beside.
        scale: what estimators that are no networks make of it; None where there are none.
        panels: pictures, by the heading above them; empty for a setting beyond the first few.
    """

    title: str
    comparisons: list[Comparison]
    losses: list[LossSummary]
    given: list[Comparison]
    values: dict[str, Values]
    notes: list[str]
    scale: ForScale | None
    panels: dict[str, list[Panel]]


def write_html(file: Path, answer: Answer) -> None:
    """Writes the report."""
    sections = [
        _section(answer, setting, drawn=index < MOST_SETTINGS)
        for index, setting in enumerate(answer.settings)
    ]
    page = (
        page_templates()
        .get_template("report.html.j2")
        .render(
            answer=answer,
            selection=answer.selection,
            comparisons=answer.comparisons,
            overview=overview(answer.comparisons, titled=len(sections) > 1),
            sections=sections,
            undrawn=len(sections) - MOST_SETTINGS,
            runs=_runs(answer),
            most_losses=MOST_LOSSES,
            most_seeds=MOST_SEEDS,
            mean_and_sd=mean_and_sd,
            number=number,
            p_value=p_value,
            bounds=bounds,
            score=SCORE,
            how=HOW,
            ui=UI,
        )
    )
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(page, encoding="utf-8")


def _runs(answer: Answer) -> list[FinishedRun]:
    """The runs that are compared at the judged decision, best on the validation split first."""
    runs = [run for loss in answer.losses[answer.decision] for run in loss.runs]
    return sorted(runs, key=lambda run: -run.on_validation(answer.decision))


def _section(answer: Answer, setting: str, *, drawn: bool) -> Section:
    comparisons, losses = answer.of(setting), answer.losses_of(setting)
    panels = _panels(answer, comparisons, losses[:MOST_LOSSES]) if drawn else {}
    values = answer.given_of(setting)
    order = list(values)
    given = [one for one in answer.given if one.setting in values]
    given.sort(key=lambda one: (one.label, order.index(one.setting)))
    title, notes, scale = comparisons[0].title, answer.notes[setting], answer.scale.get(setting)
    return Section(title, comparisons, losses, given, values, notes, scale, panels)


def _panels(
    answer: Answer, comparisons: list[Comparison], losses: list[LossSummary]
) -> dict[str, list[Panel]]:
    found = [LossEvidence(loss, answer.decision) for loss in losses]
    labels = {one.label for one in losses}
    return {
        "Differences by seed": [by_seed(one) for one in comparisons if one.label in labels],
        "Training": [
            by_epoch(found, "val_f1_macro", "Macro F1 by epoch", "validation macro F1"),
            by_epoch(found, "grad_norm", "Gradient norm by epoch", "global norm, before clipping"),
            focal_curves([one.label for one in losses]),
        ],
        "Predictions": [precision_recall_curves(found), reliability_diagram(found)],
        f"Confusion matrices, {HOW[answer.decision]}": [confusion_matrix(one) for one in found],
    }
