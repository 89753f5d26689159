"""The table at the end of a sweep: its runs, best on the validation split first."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from src.runs import record
from src.runs.record import RunRecord

Row = tuple[str, str, str, str, str, str]
"""Of a job: number, test and validation macro F1, seconds of training, run, where it came from."""
ID_SHOWN = 8
"""Characters of a run id in the table: enough to tell runs apart."""
MOST_SHOWN = 20
"""Rows on the terminal; the comparison has every loss and setting in few."""
ROOM_TO_END = 60
"""Characters kept for the line on what does not fit."""


def collect_rows(folder: Path) -> list[Row]:
    """The finished jobs in a sweep's folder, best validation macro F1 first."""
    rows = []
    for file in folder.glob(f"*/{record.RECORD}"):
        final = RunRecord.load(file.parent)
        rows.append(_row(file, final.metadata.name, final.metrics, "trained"))
    for file in folder.glob(f"*/{record.ANSWER}"):
        answer = json.loads(file.read_text(encoding="utf-8"))
        source = f"answered from {Path(answer['answered_from']).name[:ID_SHOWN]}"
        metrics = answer["metrics"] | {"seconds_fit": None}
        rows.append(_row(file, answer["name"], metrics, source))
    return sorted(rows, key=_by_validation)


def _by_validation(row: Row) -> tuple[bool, float, int]:
    """Runs without a validation score last."""
    val = float(row[2])
    return math.isnan(val), -val, int(row[0])


def _row(file: Path, name: str, metrics: Mapping[str, float | None], source: str) -> Row:
    test, val = metrics["test_f1_macro"], metrics.get("best_val_f1_macro", float("nan"))
    seconds = metrics["seconds_fit"]
    shown = "" if seconds is None else f"{seconds:.1f}"
    return file.parent.name, f"{test:.4f}", f"{val:.4f}", shown, name, source


def print_table(rows: Sequence[Row]) -> None:
    """Prints the rows to the terminal; plain where it is none."""
    table = Table(title="Runs, best validation macro F1 first", title_justify="left")
    for name in ("job", "test F1", "val F1", "seconds"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("run", overflow="fold")
    table.add_column("", overflow="fold")
    for row in rows[:MOST_SHOWN]:
        table.add_row(*row)
    console = Console()
    console = console if console.is_terminal else Console(width=140)
    console.print(table)
    if len(rows) > MOST_SHOWN:
        console.print(f"{len(rows) - MOST_SHOWN} more runs are in the MLflow UI.")


def markdown_table(rows: Sequence[Row], longest: int) -> str:
    """The rows as Markdown, as many as fit in so many characters; the number of others is told."""
    text = "| job | test macro F1 | validation | run | |\n| --: | --: | --: | --- | --- |"
    for number, (job, test, val, _, name, source) in enumerate(rows):
        line = f"\n| {job} | {test} | {val} | {name} | {source} |"
        if len(text) + len(line) > longest - ROOM_TO_END:
            return f"{text}\n\n{len(rows) - number} more runs are in the view."
        text += line
    return text
