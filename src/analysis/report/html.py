"""The report: one HTML file that needs nothing else, for a browser, the MLflow UI, and print."""

from pathlib import Path

from src.analysis.answer import Answer
from src.analysis.figures.differences import by_seed, overview
from src.analysis.figures.evidence import MOST_SEEDS, LossEvidence
from src.analysis.figures.panel import Panel
from src.analysis.figures.predictions import (
    confusion_matrix,
    precision_recall_curves,
    reliability_diagram,
)
from src.analysis.figures.training import by_epoch, focal_curves
from src.analysis.report.sections import page_templates
from src.analysis.report.text import BESIDE, HOW, bounds, mean_and_sd, number, p_value, score_beside
from src.analysis.runs import SCORE, FinishedRun
from src.runs.labels import short_label

HTML = "report.html"
MOST_SETTINGS = 4
"""Settings that have pictures of their own; the tables hold every one."""
MOST_LOSSES = 7
"""Losses in a picture, at most: more lines cannot be told apart."""
UI = "http://127.0.0.1:5000"


def write_html(file: Path, answer: Answer) -> None:
    """Writes the report."""
    settings = answer.settings
    panels = {
        one: _panels(answer, one) if one in settings[:MOST_SETTINGS] else {} for one in settings
    }
    page = (
        page_templates()
        .get_template("report.html.j2")
        .render(
            answer=answer,
            selection=answer.selection,
            comparisons=answer.comparisons,
            overview=overview(answer.comparisons, titled=len(settings) > 1),
            settings=settings,
            panels=panels,
            undrawn=len(settings) - MOST_SETTINGS,
            runs=_runs(answer),
            most_losses=MOST_LOSSES,
            most_seeds=MOST_SEEDS,
            beside={name: words for name, (_, words) in BESIDE.items()},
            score_beside=score_beside,
            mean_and_sd=mean_and_sd,
            number=number,
            p_value=p_value,
            bounds=bounds,
            score=SCORE,
            how=HOW,
            ui=UI,
            short_label=short_label,
        )
    )
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(page, encoding="utf-8")


def _runs(answer: Answer) -> list[FinishedRun]:
    """The runs that are compared at the judged decision, best on the validation split first."""
    runs = [run for loss in answer.losses[answer.decision] for run in loss.runs]
    return sorted(runs, key=lambda run: -run.on_validation(answer.decision))


def _panels(answer: Answer, setting: str) -> dict[str, list[Panel]]:
    """Pictures by the heading above them."""
    losses = [row.loss for row in answer.rows(setting)][:MOST_LOSSES]
    found = [LossEvidence(loss, answer.decision) for loss in losses]
    labels = {one.label for one in losses}
    return {
        "Differences by seed": [by_seed(one) for one in answer.of(setting) if one.label in labels],
        "Training": [
            by_epoch(found, "val_f1_macro", "Macro F1 by epoch", "validation macro F1"),
            by_epoch(found, "grad_norm", "Gradient norm by epoch", "global norm, before clipping"),
            focal_curves([one.label for one in losses]),
        ],
        "Predictions": [precision_recall_curves(found), reliability_diagram(found)],
        f"Confusion matrices, {HOW[answer.decision]}": [confusion_matrix(one) for one in found],
    }
