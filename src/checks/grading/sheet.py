"""Writes the grades of a folder as CSV and as one HTML page that needs nothing else."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, select_autoescape

from src.checks.grading.rubric import Rubric
from src.checks.grading.submissions import Submission
from src.checks.grading.summary import class_of, passes, summaries
from src.checks.language import say, spoken, translated
from src.checks.results import FAIL, NOT_REACHED, PASS, STATUSES, WARN


def row_of(submission: Submission, rubric: Rubric | None = None) -> dict[str, Any]:
    """One row: the file, its verdict and grade, how many checks ended how, and which."""
    ended: dict[str, list[str]] = {status: [] for status in STATUSES}
    for report in submission.reports:
        for result in report.results:
            ended[result.status].append(result.name)
    return {
        "class": class_of(submission),
        "file": submission.file,
        "verdict": "PASS" if passes(submission, rubric) else "FAIL",
        "grade": f"{rubric.grade(submission.reports):.2f}" if rubric else "",
        "components": " ".join(report.component for report in submission.reports),
        "passed": len(ended[PASS]),
        "warned": len(ended[WARN]),
        "failed": len(ended[FAIL]),
        "not_reached": len(ended[NOT_REACHED]),
        "failed_checks": " ".join(dict.fromkeys(ended[FAIL])),
        "warnings": " ".join(dict.fromkeys(ended[WARN])),
        "problem": submission.problem,
    }


def write_sheets(
    folder: Path, submissions: Sequence[Submission], rubric: Rubric | None = None
) -> list[Path]:
    """Writes one row per file, one row per class, and the page; returns the three files."""
    files = [folder / name for name in ("submissions.csv", "summary.csv", "submissions.html")]
    rows = [row_of(submission, rubric) for submission in submissions]
    classes = summaries(submissions, rubric)
    _write_rows(files[0], rows)
    of_classes = [
        {
            "class": summary.name,
            "files": summary.files,
            "passed": summary.passed,
            "mean_grade": "" if summary.grade is None else f"{summary.grade:.2f}",
            "failed_checks": " ".join(f"{name}:{n}" for name, n in summary.missed.items()),
        }
        for summary in classes
    ]
    _write_rows(files[1], of_classes)
    loader = PackageLoader("src.checks.grading")
    environment = Environment(loader=loader, autoescape=select_autoescape(default=True))
    environment.globals |= {"say": say, "translated": translated}
    page = environment.get_template("submissions.html.j2").render(
        rows=list(zip(rows, submissions, strict=True)),
        classes=classes,
        rubric=rubric,
        language=spoken(),
        passed=sum(summary.passed for summary in classes),
    )
    files[2].write_text(page, encoding="utf-8")
    return files


def _write_rows(file: Path, rows: list[dict[str, Any]]) -> None:
    """Writes rows of which no cell begins as a formula does."""
    with file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows({name: _harmless(cell) for name, cell in row.items()} for row in rows)


def _harmless(value: Any) -> Any:
    """A text that a spreadsheet would take for a formula, with an apostrophe before it."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@") else value
