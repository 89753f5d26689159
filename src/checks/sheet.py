"""Writes the grades of a folder as CSV and as one HTML page that needs nothing else."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, select_autoescape

from src.checks.results import FAIL, NOT_REACHED, PASS, WARN
from src.checks.submissions import Submission, names_of

CSV, HTML = "submissions.csv", "submissions.html"
COLUMNS = (
    "file",
    "verdict",
    "components",
    "passed",
    "warned",
    "failed",
    "not_reached",
    "failed_checks",
    "warnings",
    "problem",
)


def row_of(submission: Submission) -> dict[str, Any]:
    """One row: the file, its verdict, how many checks ended how, and which.

    Args:
        submission: the file's reports.
    """
    results = submission.results
    counted = {status: sum(r.status == status for r in results) for status in (PASS, WARN, FAIL)}
    components = " ".join(report.component for report in submission.reports)
    return {
        "file": submission.file,
        "verdict": "PASS" if submission.passed else "FAIL",
        "components": components,
        "passed": counted[PASS],
        "warned": counted[WARN],
        "failed": counted[FAIL],
        "not_reached": sum(r.status == NOT_REACHED for r in results),
        "failed_checks": names_of(results, FAIL),
        "warnings": names_of(results, WARN),
        "problem": submission.problem,
    }


def write_csv(file: Path, submissions: Sequence[Submission]) -> None:
    """Writes one row a file; no cell begins as a formula does.

    Args:
        file: where to.
        submissions: graded files.
    """
    with file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, COLUMNS)
        writer.writeheader()
        for submission in submissions:
            row = row_of(submission)
            writer.writerow({name: _harmless(value) for name, value in row.items()})


def _harmless(value: Any) -> Any:
    """A text that a spreadsheet would take for a formula, with an apostrophe before it."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@") else value


def write_html(file: Path, submissions: Sequence[Submission]) -> None:
    """Writes the table and, below it, each file's checks with what to mend.

    Args:
        file: where to.
        submissions: graded files.
    """
    environment = Environment(
        loader=PackageLoader("src.checks"), autoescape=select_autoescape(default=True)
    )
    rows = [(row_of(submission), submission) for submission in submissions]
    page = environment.get_template("submissions.html.j2").render(rows=rows)
    file.write_text(page, encoding="utf-8")
