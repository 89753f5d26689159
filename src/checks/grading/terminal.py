"""Shows reports on the terminal."""

import textwrap
from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from src.checks.grading.rubric import Rubric
from src.checks.grading.sheet import row_of
from src.checks.grading.submissions import Submission
from src.checks.grading.summary import summaries
from src.checks.language import marked, say, translated
from src.checks.results import FAIL, NOT_APPLICABLE, NOT_REACHED, PASS, WARN, Report

_STYLES = {
    PASS: "green",
    WARN: "yellow",
    FAIL: "bold red",
    NOT_APPLICABLE: "dim",
    NOT_REACHED: "red",
}


def print_report(report: Report) -> None:
    """Prints one line per check, and below each failure and warning the way to mend it."""
    console = Console(soft_wrap=True, highlight=False)
    made = ", ".join(f"{name}={value!r}" for name, value in report.made_with.items())
    guessed = say(", made with {} (nobody gave a value)", made) if made else ""
    console.print(
        Text(
            f"{report.component}: {translated(report.kind) or say('component')}{guessed}",
            style="bold",
        )
    )
    for result in report.results:
        line = Text(f"  {translated(result.status):<15}", style=_STYLES[result.status])
        line.append(f"{result.name}: {result.seen}", style="default")
        console.print(line)
        if result.status in (FAIL, WARN):
            for word, text in ((say("why"), result.why), (say("mend"), result.mend)):
                console.print(Text(f"{'':<17}{word}: {text}"))
            console.print(Text(textwrap.indent(result.example, " " * 21), style="dim"))
    counts = ", ".join(f"{n} {translated(status)}" for status, n in report.counts.items() if n)
    verdict = marked("PASS") if report.passed else marked("FAIL")
    console.print(Text(f"{translated(verdict)}: {report.component}, {counts}", style="bold"))


def print_grades(submissions: Sequence[Submission], rubric: Rubric | None) -> None:
    """Prints one line per file, and one per class where there are classes or grades."""
    for submission in submissions:
        row = row_of(submission, rubric)
        grade = f"  {row['grade']:>5}" if rubric else ""
        seen = row["problem"] or row["failed_checks"] or say("all")
        print(f"{translated(row['verdict'])}{grade}  {row['file']}: {seen}")
    classes = summaries(submissions, rubric)
    for summary in classes if rubric or len(classes) > 1 else ():
        mean = "" if summary.grade is None else say(", mean grade {:.2f}", summary.grade)
        most = say(", missed most: {}", summary.missed_most) if summary.missed else ""
        passed = say("{} of {} files pass", summary.passed, summary.files)
        print(f"{summary.name or say('(no folder)')}: {passed}{mean}{most}")
