"""Measures how often the interval of a comparison holds the truth; writes ``docs/coverage.md``.

    python -m benchmarks.coverage [--tables N] [--seeds N] [--workers N]

What was trained is kept in outputs/coverage: an interrupted measurement goes on, and one with more
tables trains these alone.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence

from benchmarks.coverage.results import measured
from benchmarks.coverage.rows import rows
from benchmarks.coverage.tables import details, summary, verdict
from benchmarks.coverage.trainings import SEEDS
from benchmarks.timing import machine
from benchmarks.timing.page import replaced
from src.entry import guarded
from src.errors import UserError
from src.runs.identity import PROJECT

PAGE = PROJECT / "docs" / "coverage.md"


def main(arguments: Sequence[str] | None = None) -> int:
    """Trains what is missing, and renews the tables of the page."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.coverage",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    cores = len(os.sched_getaffinity(0))
    parser.add_argument("--tables", type=int, default=200, help="to re-split (200)")
    parser.add_argument("--seeds", type=int, default=600, help="of fresh data, 20 at a time (600)")
    parser.add_argument("--workers", type=int, default=cores, help="processes (one a core)")
    options = parser.parse_args(arguments)
    least = {"tables": 2, "seeds": SEEDS, "workers": 1}
    for name, number in least.items():
        if getattr(options, name) < number:
            raise UserError(f"--{name} {getattr(options, name)}: must be {number} or more")
    if options.seeds % SEEDS:
        raise UserError(f"--seeds {options.seeds}: must be a multiple of {SEEDS}")
    found = list(rows(*measured(options.tables, options.seeds, options.workers)))
    counts = (
        f"{options.seeds} seeds of fresh data; {options.tables} tables, with {SEEDS} seeds each. "
        f"Measured on {machine.description()}"
    )
    parts = {
        "summary": f"{summary(found)}\n\n{verdict(found, 'this project')}\n\n{counts}",
        "situations": details(found),
    }
    page = PAGE.read_text(encoding="utf-8")
    for name, content in parts.items():
        page = replaced(page, name, content)
    PAGE.write_text(page, encoding="utf-8")
    print(f"{parts['summary']}\n\n{PAGE}")
    return 0


if __name__ == "__main__":
    raise SystemExit(guarded(main))
