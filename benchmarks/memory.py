"""Memory of one process over a sweep of 200 runs, against its memory after the fifth."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.timing.measure import Found, Row, run, shown
from benchmarks.timing.typed import ROOT

MINUTES = 5
RUNS, FIRST, LAST = 200, 5, 20
"""Runs of the sweep; the run to compare with; how many of the last runs are compared."""
WORDS = ("data.n_samples=400", "data.minority_fraction=0.2", "training.epochs=2")


def measure(options: argparse.Namespace) -> Found:
    """Follows as many sweeps as there are rounds."""
    first, runs = (1, 2) if options.tiny else (FIRST, RUNS)
    last = min(LAST, runs - first)
    rows, notes = [], []
    for _ in range(options.rounds):
        with tempfile.TemporaryDirectory() as folder:
            held = list(shown(_after_each_run(Path(folder), runs), "memory", runs))
        what = f"memory after each of the last {last} of {runs} runs of a sweep"
        base = (held[first - 1],) * last
        rows.append(Row(what, f"after run {first}", tuple(held[-last:]), base, "< 1.1", "MiB"))
        curve = [f"{held[number - 1]:.0f} MiB after run {number}" for number in _some(runs)]
        notes.append(f"Resident memory: {', '.join(curve)}.")
    return Found(rows, notes)


def _some(runs: int) -> list[int]:
    """Numbers of the runs after which the memory is told."""
    return [number for number in (1, FIRST, 20, 50, 100, 150) if number < runs] + [runs]


def _after_each_run(folder: Path, runs: int) -> Iterator[float]:
    """MiB that the process of a sweep holds when the record of each run appears."""
    words = ["-m", f"seed=range(0,{runs})", *WORDS, "hydra.sweep.dir=sweep"]
    with (folder / "errors").open("w") as errors:
        child = subprocess.Popen(
            [sys.executable, ROOT / "train.py", *words],
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=errors,
        )
        try:
            for number in range(runs):
                record = folder / "sweep" / str(number) / "run.json"
                while not record.exists():
                    if child.poll() is not None and not record.exists():
                        told = (folder / "errors").read_text()
                        raise RuntimeError(f"the sweep ended without run {number}: {told}")
                    time.sleep(0.01)
                yield _resident(child.pid)
            child.wait()
        finally:
            child.kill()
            child.wait()


def _resident(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the table."""
    return run(measure, __doc__ or "", 1, arguments)


if __name__ == "__main__":
    raise SystemExit(main())
