"""From a fresh clone to the verdicts of ``make reproduce``, set-up included."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from benchmarks.timing.measure import Found, Row, in_turn
from benchmarks.timing.process import run_process
from benchmarks.timing.typed import ROOT

MINUTES = 4
ROUNDS = 1
ALLOWED = 180.0
"""Seconds, set-up included."""
PARTS = ("make setup", "make reproduce")


def measure(options: argparse.Namespace) -> Found:
    """Clones the last commit into an empty folder, and types what a visitor types."""
    parts = ("make help",) if options.tiny else PARTS
    (turns,) = in_turn("first answer", [partial(_visit, parts)], options, warm=0)
    whole = tuple(sum(taken) for taken in turns)
    allowed = (ALLOWED,) * len(whole)
    rows = [Row("set-up and `make reproduce`", "what they may take", whole, allowed, "<= 1")]
    for number, part in enumerate(parts):
        mine = tuple(taken[number] for taken in turns)
        rows.append(Row(f"`{part}`", "all of it", mine, whole))
    note = "The last commit, cloned. Set-up downloads every package: its caches are empty."
    return Found(rows, [note])


def _visit(parts: Sequence[str]) -> tuple[float, ...]:
    """Seconds of each part, in a clone of its own."""
    with tempfile.TemporaryDirectory() as name:
        clone, cache = Path(name) / "clone", str(Path(name) / "cache")
        run_process(["git", "clone", "--quiet", str(ROOT), str(clone)], Path(name))
        fresh = {
            "PYTHONPATH": str(clone),
            "UV_CACHE_DIR": cache,
            "PIP_CACHE_DIR": cache,
            "PYTHON": sys.executable,
        }
        return tuple(run_process(part.split(), clone, more=fresh).seconds for part in parts)
