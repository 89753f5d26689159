"""A store of 2,000 runs against one of 100: the comparison of a sweep, and the start of a run."""

from __future__ import annotations

import argparse
import contextlib
import io
import tempfile
import uuid
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.timing.made_runs import make_store
from benchmarks.timing.measure import Found, Row, in_turn, run, seconds

MINUTES = 4
SMALL, LARGE = 100, 2000


def measure(options: argparse.Namespace) -> Found:
    """Fills two stores and asks both the same questions."""
    sizes, seeds = ((4, 8), 2) if options.tiny else ((SMALL, LARGE), 10)
    questions: dict[str, Callable[[dict[str, Any]], object]] = {
        "the start of a run": started,
        "`src.compare`": compared,
    }
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        stores = [make_store(Path(folder) / str(size), size, seeds) for size in sizes]
        for name, ask in questions.items():
            asked = [partial(seconds, partial(ask, tracking)) for tracking in stores]
            small, large = in_turn(name, asked, options)
            what, against = (f"{name}, store of {size:,} runs" for size in reversed(sizes))
            rows.append(Row(what, against, large, small, "< 3"))
    return Found(rows, [])


def started(tracking: dict[str, Any]) -> None:
    """Asks and tells the store what a new run does before it trains; takes the run away again."""
    from src.runs.record import RunMetadata
    from src.tracking.mlflow_tracker import MLflowTracker
    from src.tracking.run_log import create_run

    identity = uuid.uuid4().hex * 2
    facts = {
        "name": "made",
        "source": "made",
        "fingerprint": "f" * 64,
        "input_shape": [2],
        "class_names": ["many", "few"],
        "class_counts": [190, 10],
        "rows": {"train": 200},
    }
    metadata = RunMetadata(identity, "made", "made", {"loss": "ce"}, {"seed": "0"}, facts)
    tracker = MLflowTracker(tracking, None)
    if tracker.find(identity, Path()) is not None:
        raise RuntimeError("found a run that nobody has trained")
    run = create_run(tracker.store, metadata, None)
    tracker.store.client.delete_run(run.info.run_id)


def compared(tracking: dict[str, Any]) -> str:
    """``python -m src.compare``, in this process: table, verdict and report."""
    from src.compare import main as compare

    shown = io.StringIO()
    with tempfile.TemporaryDirectory() as out, contextlib.redirect_stdout(shown):
        compare(["--root", tracking["root"], "--out", out])
    return shown.getvalue()


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the table."""
    return run(measure, __doc__ or "", 9, arguments)


if __name__ == "__main__":
    raise SystemExit(main())
