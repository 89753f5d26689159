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

CSV, SUMMARY, HTML = "submissions.csv", "summary.csv", "submissions.html"


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


def write_csv(file: Path, submissions: Sequence[Submission], rubric: Rubric | None = None) -> None:
    """Writes one row per file; no cell begins as a formula does."""
    _write_rows(file, [row_of(submission, rubric) for submission in submissions])


def write_summary(
    file: Path, submissions: Sequence[Submission], rubric: Rubric | None = None
) -> None:
    """Writes one row per class."""
    rows = [
        {
            "class": summary.name,
            "files": summary.files,
            "passed": summary.passed,
            "mean_grade": "" if summary.grade is None else f"{summary.grade:.2f}",
            "failed_checks": " ".join(f"{name}:{n}" for name, n in summary.missed.items()),
        }
        for summary in summaries(submissions, rubric)
    ]
    _write_rows(file, rows)


def _write_rows(file: Path, rows: list[dict[str, Any]]) -> None:
    with file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows({name: _harmless(cell) for name, cell in row.items()} for row in rows)


def _harmless(value: Any) -> Any:
    """A text that a spreadsheet would take for a formula, with an apostrophe before it."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@") else value


def write_html(file: Path, submissions: Sequence[Submission], rubric: Rubric | None = None) -> None:
    """Writes the classes, the table of files and, below them, each file's checks."""
    loader = PackageLoader("src.checks.grading")
    environment = Environment(loader=loader, autoescape=select_autoescape(default=True))
    environment.globals |= {"say": say, "translated": translated}
    rows = [(row_of(submission, rubric), submission) for submission in submissions]
    page = environment.get_template("submissions.html.j2").render(
        rows=rows,
        classes=summaries(submissions, rubric),
        rubric=rubric,
        language=spoken(),
        passed=sum(passes(submission, rubric) for submission in submissions),
    )
    file.write_text(page, encoding="utf-8")
