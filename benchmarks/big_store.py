"""A store of 10,000 runs against one of 100: the comparison of a sweep, and the start of a run."""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import sqlite3
import statistics
import tempfile
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.made_runs import make_store
from benchmarks.measure import Found, Row, in_turn, ratios, run, seconds
from src.entry import QUIET

MINUTES = 2
SMALL, LARGE = 100, 10_000


def measure(options: argparse.Namespace) -> Found:
    """Fills two stores and asks both the same questions."""
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    sizes = (20, 40) if options.tiny else (SMALL, LARGE)
    with tempfile.TemporaryDirectory() as place:
        stores: list[dict[str, Any]] = []
        filled = seconds(
            lambda: stores.extend(make_store(Path(place) / str(size), size) for size in sizes)
        )
        questions = {"the start of a run": started, "`src.compare`": compared}
        rows, spent = [], []
        for name, ask in questions.items():
            asked = [_asking(ask, tracking) for tracking in stores]
            small, large = in_turn(name, asked, options.rounds)
            what, against = (f"{name}, store of {size:,} runs" for size in reversed(sizes))
            rows.append(Row(what, against, ratios(large, small), "< 3"))
            medians = [f"{statistics.median(side) * 1e3:.0f}" for side in (small, large)]
            spent.append(f"{name}: {' and '.join(medians)} ms")
        scans = scans_of_a_start(stores[-1])
    told = "; ".join(spent)
    looked = "no statement scans the table of runs or tags" if not scans else f"scans: {scans}"
    return Found(
        rows, [f"{told}. Filling both took {filled:.0f} s. At the start of a run {looked}."]
    )


def _asking(ask: Callable[[dict[str, Any]], object], tracking: dict[str, Any]) -> Callable:
    return lambda: seconds(lambda: ask(tracking))


def started(tracking: dict[str, Any]) -> str:
    """What a new run asks and tells the store before it trains; leaves the store as it was."""
    from src.tracking.run_log import create_run
    from src.tracking.tracker import MLflowTracker

    identity = uuid.uuid4().hex * 2
    tracker = MLflowTracker(tracking, None)
    if tracker.find(identity, Path()) is not None:
        raise RuntimeError("found a run that nobody has trained")
    run_id: str = create_run(tracker.store, _head(identity), None).info.run_id
    tracker.store.client.delete_run(run_id)
    return run_id


def _head(identity: str) -> Any:
    from src.runs.record import RunMetadata

    facts = {
        "name": "made",
        "source": "made",
        "fingerprint": "f" * 64,
        "input_shape": [2],
        "class_names": ["many", "few"],
        "class_counts": [190, 10],
        "rows": {"train": 200},
    }
    tags = {"loss": "ce", "identity": identity}
    return RunMetadata(identity, "made", "made", tags, {"seed": "0"}, facts)


def compared(tracking: dict[str, Any]) -> str:
    """``python -m src.compare``, in this process: table, verdict and report."""
    from src.compare import main as compare

    shown = io.StringIO()
    with tempfile.TemporaryDirectory() as out, contextlib.redirect_stdout(shown):
        compare(["--root", tracking["root"], "--out", out])
    return shown.getvalue()


def scans_of_a_start(tracking: dict[str, Any]) -> list[str]:
    """Scans of runs or tags in the plans of all that a start selects, SQLite says which."""
    with _statements() as statements:
        started(tracking)
    found = set()
    with sqlite3.connect(tracking["uri"].removeprefix("sqlite:///")) as database:
        for text, values in statements:
            for *_, step in database.execute(f"EXPLAIN QUERY PLAN {text}", values):
                if step.startswith("SCAN") and step.split()[1] in {"runs", "tags", "metrics"}:
                    found.add(step)
    database.close()
    return sorted(found)


@contextlib.contextmanager
def _statements() -> Iterator[list[tuple[str, Any]]]:
    """Every SELECT that SQLAlchemy sends, with its values."""
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    sent: list[tuple[str, Any]] = []

    def note(_: Any, __: Any, statement: str, values: Any, *___: Any) -> None:
        if statement.lstrip().upper().startswith("SELECT"):
            sent.append((statement, values))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the table."""
    return run(measure, __doc__ or "", 9, arguments)


if __name__ == "__main__":
    raise SystemExit(main())
