"""The report: one HTML file that needs nothing else, for a browser, the MLflow UI, and print.

Its sections come in the order of the questions that a reader has; details are folded.
"""

import json
from collections.abc import Mapping
from itertools import chain
from pathlib import Path

from src.analysis.answer import Answer
from src.analysis.figures.differences import by_seed
from src.analysis.figures.evidence import MOST_SEEDS, LossEvidence
from src.analysis.figures.forest import forest
from src.analysis.figures.loss_curves import loss_curves
from src.analysis.figures.palette import GLYPHS, line_of
from src.analysis.figures.panel import Panel
from src.analysis.figures.predictions import (
    confusion_matrix,
    precision_recall_curves,
    reliability_diagram,
)
from src.analysis.figures.training import by_epoch, by_gamma
from src.analysis.report import contents, table, text
from src.analysis.report.files import in_json
from src.analysis.report.images import image_section
from src.analysis.report.sections import page_templates
from src.analysis.runs import SCORE, FinishedRun
from src.runs.labels import short_label

HTML = "report.html"
MOST_SETTINGS = 4
"""Settings that have pictures of their own; the tables hold every one."""
MOST_LOSSES = 7
"""Losses in a picture, at most: more lines cannot be told apart."""
MOST_MATRICES = 4
"""Losses whose confusion matrices are drawn, at both decisions."""
MOST_WITH_IMAGES = 2
"""Settings whose test images are shown."""
MOST_JSON = 300_000
"""Characters of JSON in the page."""
UI = "http://127.0.0.1:5000"
SECTIONS = {
    "answer": "Answer",
    "difference": "Difference",
    "losses": "Every loss",
    "compared": "What was compared",
    "epochs": "By epoch",
    "predictions": "Predictions",
    "images": "Images",
    "limits": "Limits",
    "details": "Details",
}
OF_PICTURES = {"epochs", "predictions", "images"}
"""Sections that are left out where nothing of them can be drawn."""


def write_html(file: Path, answer: Answer, *, pictures: bool = True) -> None:
    """Writes the report; without pictures no test image is in it."""
    settings = answer.settings
    of_images = {
        one: found
        for one in settings[:MOST_WITH_IMAGES]
        if (found := image_section(answer, one, pictures=pictures))
    }
    panels = {one: _panels(answer, one) for one in settings[:MOST_SETTINGS]}
    drawn = {"images"} if of_images else set()
    for of_setting in panels.values():
        drawn |= {name for name, shown in of_setting.items() if any(one.svg for one in shown)}
    day, commit = contents.made(answer)
    templates = page_templates()
    templates.filters |= {
        "readable": contents.readable,
        "without_folders": contents.without_folders,
    }
    templates.globals |= {"line_of": line_of, "glyphs": GLYPHS}
    page = templates.get_template("report.html.j2").render(
        answer=answer,
        selection=answer.selection,
        comparisons=answer.comparisons,
        settings=settings,
        contents=contents,
        table=table,
        text=text,
        day=day,
        commit=commit,
        sections={k: v for k, v in SECTIONS.items() if k not in OF_PICTURES or k in drawn},
        labels=dict.fromkeys(row.loss.label for one in settings for row in answer.rows(one)),
        forest=forest(answer),
        of_images=of_images,
        panels=panels,
        not_drawn=_not_drawn(panels),
        undrawn=len(settings) - MOST_SETTINGS,
        crowded=any(len(answer.rows(one)) > MOST_LOSSES for one in settings),
        runs=_runs(answer),
        as_json=_json(answer),
        most_losses=MOST_LOSSES,
        most_seeds=MOST_SEEDS,
        score=SCORE,
        ui=UI,
        short_label=short_label,
    )
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(page, encoding="utf-8")


def _runs(answer: Answer) -> list[FinishedRun]:
    """The runs that are compared at the judged decision, best on the validation split first."""
    runs = [run for loss in answer.losses[answer.decision] for run in loss.runs]
    return sorted(runs, key=lambda run: -run.on_validation(answer.decision))


def _json(answer: Answer) -> str:
    """The answers and comparisons; each run with its id is in the file beside the report."""
    names = ("decision", "answers", "comparisons", "other_decision", "at_given_settings")
    content = in_json(answer)
    found = json.dumps({name: content[name] for name in names}, indent=1, ensure_ascii=False)
    if len(found) > MOST_JSON:
        return "Too long for a page: comparison.json beside the report has it."
    return contents.without_folders(found)


def _not_drawn(panels: Mapping[str, Mapping[str, list[Panel]]]) -> str:
    """The pictures that are missing, and why, in one line."""
    missing: dict[str, list[str]] = {}
    for of_setting in panels.values():
        for one in chain.from_iterable(of_setting.values()):
            if not one.svg and one.title not in missing.setdefault(one.caption, []):
                missing[one.caption].append(one.title)
    return "; ".join(f"{', '.join(titles)} ({reason})" for reason, titles in missing.items())


def _panels(answer: Answer, setting: str) -> dict[str, list[Panel]]:
    """Pictures by their section."""
    losses = [row.loss for row in answer.rows(setting)]
    evidence = {one: _evidence(answer, setting, one) for one in table.decisions(answer)}
    matrices = [map(confusion_matrix, of_losses[:MOST_MATRICES]) for of_losses in evidence.values()]
    found = evidence[answer.decision]
    labels = [one.summary.label for one in found]
    gammas = by_gamma(losses, answer.decision)
    curves = loss_curves(losses)
    return {
        "epochs": [
            by_epoch(found, "val_f1_macro", "Macro F1 by epoch", "validation macro F1"),
            *([gammas] if gammas else []),
        ],
        "predictions": [
            *chain.from_iterable(zip(*matrices, strict=False)),
            precision_recall_curves(found),
            reliability_diagram(found),
        ],
        "details": [
            by_seed([one for one in answer.of(setting) if one.label in labels]),
            by_epoch(found, "val_log_loss", "Log loss by epoch", "validation log loss, nats"),
            by_epoch(found, "grad_norm", "Gradient norm by epoch", "global norm, before clipping"),
            by_epoch(
                found,
                "loss",
                "Training loss by epoch",
                "each by its own loss / first epoch",
                normalised=True,
            ),
            *([curves] if curves else []),
        ],
    }


def _evidence(answer: Answer, setting: str, decision: str) -> list[LossEvidence]:
    """The losses of a setting that are drawn, at a decision, the baseline first."""
    rows = answer.rows(setting)[:MOST_LOSSES]
    losses = [row.loss if decision == answer.decision else row.other_loss for row in rows]
    return [LossEvidence(loss, decision) for loss in losses if loss]
