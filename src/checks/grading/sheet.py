"""Writes the grades of a folder as CSV and as one HTML page that needs nothing else."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, select_autoescape

from src.checks.grading.submissions import Submission
from src.checks.results import FAIL, NOT_REACHED, PASS, STATUSES, WARN

CSV, HTML = "submissions.csv", "submissions.html"


def row_of(submission: Submission) -> dict[str, Any]:
    """One row: the file, its verdict, how many checks ended how, and which."""
    ended: dict[str, list[str]] = {status: [] for status in STATUSES}
    for report in submission.reports:
        for result in report.results:
            ended[result.status].append(result.name)
    return {
        "file": submission.file,
        "verdict": "PASS" if submission.passed else "FAIL",
        "components": " ".join(report.component for report in submission.reports),
        "passed": len(ended[PASS]),
        "warned": len(ended[WARN]),
        "failed": len(ended[FAIL]),
        "not_reached": len(ended[NOT_REACHED]),
        "failed_checks": " ".join(dict.fromkeys(ended[FAIL])),
        "warnings": " ".join(dict.fromkeys(ended[WARN])),
        "problem": submission.problem,
    }


def write_csv(file: Path, submissions: Sequence[Submission]) -> None:
    """Writes one row per file; no cell begins as a formula does."""
    rows = [row_of(submission) for submission in submissions]
    with file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows({name: _harmless(cell) for name, cell in row.items()} for row in rows)


def _harmless(value: Any) -> Any:
    """A text that a spreadsheet would take for a formula, with an apostrophe before it."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@") else value


def write_html(file: Path, submissions: Sequence[Submission]) -> None:
    """Writes the table and, below it, each file's checks with what to mend."""
    loader = PackageLoader("src.checks.grading")
    environment = Environment(loader=loader, autoescape=select_autoescape(default=True))
    rows = [(row_of(submission), submission) for submission in submissions]
    page = environment.get_template("submissions.html.j2").render(rows=rows)
    file.write_text(page, encoding="utf-8")
