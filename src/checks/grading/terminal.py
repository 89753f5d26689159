"""Shows reports on the terminal."""

import textwrap

from rich.console import Console
from rich.text import Text

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
    guessed = f", made with {made} (nobody gave a value)" if made else ""
    console.print(Text(f"{report.component}: {report.kind or 'component'}{guessed}", style="bold"))
    for result in report.results:
        line = Text(f"  {result.status:<15}", style=_STYLES[result.status])
        line.append(f"{result.name}: {result.seen}", style="default")
        console.print(line)
        if result.status in (FAIL, WARN):
            for word, text in (("why", result.why), ("mend", result.mend)):
                console.print(Text(f"{'':<17}{word}: {text}"))
            console.print(Text(textwrap.indent(result.example, " " * 21), style="dim"))
    counts = ", ".join(f"{n} {status}" for status, n in report.counts.items() if n)
    verdict = "PASS" if report.passed else "FAIL"
    console.print(Text(f"{verdict}: {report.component}, {counts}", style="bold"))
