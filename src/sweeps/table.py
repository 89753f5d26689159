"""The table at the end of a sweep: its runs, best first."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from src.runs import record
from src.runs.record import RunRecord

ID_SHOWN = 8
"""Characters of a run id in the table: enough to tell runs apart."""

ROOM_TO_END = 60
"""Characters kept for the line on what does not fit."""


@dataclass(frozen=True)
class Row:
    """One job of a sweep.

    Attributes:
        job: its number.
        name: of its run.
        test_f1: macro F1 on the test split.
        val_f1: macro F1 on the validation split at the best epoch.
        seconds: training time; None for a job that another run answered.
        source: ``trained``, or where the answer came from.
    """

    job: str
    name: str
    test_f1: float
    val_f1: float
    seconds: float | None
    source: str


def collect_rows(folder: Path) -> list[Row]:
    """The finished jobs in a sweep's folder, best test macro F1 first."""
    rows = []
    for file in folder.glob(f"*/{record.RECORD}"):
        final = RunRecord.load(file.parent)
        seconds = final.metrics["seconds_fit"]
        rows.append(_row(file.parent.name, final.metadata.name, final.metrics, seconds, "trained"))
    for file in folder.glob(f"*/{record.ANSWER}"):
        answer = json.loads(file.read_text(encoding="utf-8"))
        source = f"answered from {Path(answer['answered_from']).name[:ID_SHOWN]}"
        rows.append(_row(file.parent.name, answer["name"], answer["metrics"], None, source))
    return sorted(rows, key=lambda row: (-row.test_f1, row.job.zfill(6)))


def print_table(rows: Sequence[Row]) -> None:
    """Prints the rows to the terminal; plain where it is none."""
    table = Table(title="Runs, best test macro F1 first", title_justify="left")
    for name in ("job", "test F1", "val F1", "seconds"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("run", overflow="fold")
    table.add_column("", overflow="fold")
    for row in rows:
        seconds = "" if row.seconds is None else f"{row.seconds:.1f}"
        scores = (f"{row.test_f1:.4f}", f"{row.val_f1:.4f}", seconds)
        table.add_row(row.job, *scores, row.name, row.source)
    console = Console()
    console.print(table) if console.is_terminal else Console(width=140).print(table)


def markdown_table(rows: Sequence[Row], longest: int) -> str:
    """The rows as Markdown.

    Args:
        rows: best first.
        longest: so many characters; of what does not fit the number is told.
    """
    lines = ["| job | test macro F1 | validation | run | |", "| --: | --: | --: | --- | --- |"]
    left = longest - sum(map(len, lines)) - ROOM_TO_END
    for place, row in enumerate(rows):
        line = f"| {row.job} | {row.test_f1:.4f} | {row.val_f1:.4f} | {row.name} | {row.source} |"
        left -= len(line) + 1
        if left < 0:
            lines.append(f"\n{len(rows) - place} more runs are in the view.")
            break
        lines.append(line)
    return "\n".join(lines)


def _row(job: str, name: str, metrics: dict[str, float], seconds: float | None, source: str) -> Row:
    val = metrics.get("best_val_f1_macro", float("nan"))
    return Row(job, name, metrics["test_f1_macro"], val, seconds, source)
