"""The table at the end of a sweep: its runs, best on the validation split first.

Where several seeds were swept, a row stands for all of them.
"""

import json
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from statistics import fmean, stdev

from src.runs.narrow_table import narrow_table, terminal
from src.runs.recorded import record
from src.runs.recorded.record import RunRecord

ID_SHOWN = 8
"""Characters of a run id in the table: enough to tell runs apart."""
MOST_SHOWN = 20
"""Rows on the terminal; the comparison has every loss and setting in few."""
ROOM_TO_END = 60
"""Characters kept for the line on what does not fit."""
BETWEEN, SEED = " · ", " · seed "
"""Between the parts of a run's name, and before the last of them."""


@dataclass(frozen=True)
class Row:
    """One job, or all seeds of a kind of job.

    Attributes:
        name: of the run; without its seed where the row stands for several.
        jobs: their numbers.
        test: macro F1 of each.
        val: the same on the validation split, NaN where it was not recorded.
        seconds: of training, of those that were trained.
        reused: the runs that answered the others.
    """

    name: str
    jobs: tuple[int, ...]
    test: tuple[float, ...]
    val: tuple[float, ...]
    seconds: tuple[float, ...]
    reused: tuple[str, ...]

    @property
    def order(self) -> tuple[bool, float, int]:
        """Sorts the best on the validation split first, runs without such a score last."""
        val = fmean(self.val)
        return math.isnan(val), -val, self.jobs[0]

    @property
    def cells(self) -> dict[str, str]:
        """The row as text, by its heads."""
        many = len(self.jobs) > 1
        counted = f"{len(self.jobs)} seeds" if many else str(self.jobs[0])
        spread = f" ± {stdev(self.test):.4f}" if many else ""
        return {
            "seeds" if many else "job": counted,
            "test F1": f"{fmean(self.test):.4f}{spread}",
            "val F1": f"{fmean(self.val):.4f}",
            "seconds": f"{sum(self.seconds):.1f}" if self.seconds else "",
            "result": self._result(),
        }

    def _result(self) -> str:
        if len(self.jobs) == 1:
            return f"reused {self.reused[0]}" if self.reused else "trained"
        counts = {"trained": len(self.seconds), "reused": len(self.reused)}
        return ", ".join(f"{count} {how}" for how, count in counts.items() if count)


def collect_rows(folder: Path) -> list[Row]:
    """The finished jobs in a sweep's folder, best validation macro F1 first."""
    rows = []
    for file in folder.glob(f"*/{record.RECORD}"):
        final = RunRecord.load(file.parent)
        rows.append(_row(file, final.metadata.name, final.metrics))
    for file in folder.glob(f"*/{record.ANSWER}"):
        found = json.loads(file.read_text(encoding="utf-8"))
        source = Path(found["answered_from"]).name[:ID_SHOWN]
        rows.append(_row(file, found["name"], found["metrics"], source))
    return sorted(_over_seeds(rows), key=lambda row: row.order)


def _row(file: Path, name: str, metrics: Mapping[str, float | None], source: str = "") -> Row:
    test, val = metrics["test_f1_macro"], metrics.get("best_val_f1_macro")
    seconds = metrics["seconds_fit"]
    return Row(
        name=name,
        jobs=(int(file.parent.name),),
        test=(math.nan if test is None else test,),
        val=(math.nan if val is None else val,),
        seconds=() if source or seconds is None else (seconds,),
        reused=(source,) if source else (),
    )


def _over_seeds(rows: Sequence[Row]) -> list[Row]:
    """One row for what differs in its seed alone, where anything does; jobs alike count once."""
    if len({row.name.rpartition(SEED)[2] for row in rows}) < 2:
        return list(rows)
    groups: dict[str, dict[str, Row]] = defaultdict(dict)
    for row in sorted(rows, key=lambda row: not row.reused):  # one that was trained counts
        groups[row.name.rpartition(SEED)[0]][row.name] = row
    return [_joined(name, list(group.values())) for name, group in groups.items()]


def _joined(name: str, rows: Sequence[Row]) -> Row:
    if len(rows) == 1:
        return rows[0]
    fields = ("jobs", "test", "val", "seconds", "reused")
    joined = {one: tuple(chain.from_iterable(getattr(row, one) for row in rows)) for one in fields}
    return Row(name, **joined | {"jobs": tuple(sorted(joined["jobs"]))})


def print_table(rows: Sequence[Row]) -> None:
    """Prints the rows to the terminal; plain where it is none."""
    console, shown = terminal(), rows[:MOST_SHOWN]
    heads = dict.fromkeys(head for row in shown for head in row.cells)
    columns = {head: [row.cells.get(head, "") for row in shown] for head in heads}
    console.print("Runs, best validation macro F1 first", highlight=False)
    table = narrow_table(
        console,
        "run",
        _short_names(shown),
        columns,
        goes_first=("seconds",),
        goes_last=("result", "job", "seeds"),
        left=("result",),
    )
    console.print(table)
    if len(rows) > MOST_SHOWN:
        console.print(f"{len(rows) - MOST_SHOWN} more runs are in the MLflow UI.", highlight=False)


def _short_names(rows: Sequence[Row]) -> list[str]:
    """The names without what they all share; the loss stays."""
    parts = [row.name.split(BETWEEN) for row in rows]
    shared = set.intersection(*map(set, parts)) if len(parts) > 1 else set()
    return [BETWEEN.join([one[0], *(p for p in one[1:] if p not in shared)]) for one in parts]


def markdown_table(rows: Sequence[Row], longest: int) -> str:
    """The rows as Markdown, as many as LONGEST characters hold, and how many more there are."""
    text = "| run | test macro F1 | validation | jobs | result |\n| --- | --: | --: | --: | --- |"
    for number, row in enumerate(rows):
        cells = row.cells
        jobs = cells.get("seeds", cells.get("job"))
        line = f"\n| {row.name} | {cells['test F1']} | {cells['val F1']} | {jobs} | "
        line += f"{cells['result']} |"
        if len(text) + len(line) > longest - ROOM_TO_END:
            return f"{text}\n\n{len(rows) - number} more runs are in the view."
        text += line
    return text
