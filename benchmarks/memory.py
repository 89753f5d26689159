"""Memory of one process over a sweep of 200 runs, against what it held after the fifth."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.measure import Found, Row, run, shown

MINUTES = 5
ROOT = Path(__file__).resolve().parents[1]
RUNS, FIRST, LAST = 200, 5, 20
"""Runs of the sweep; the run that the rest is held against; how many of the last are."""
WORDS = ("data.n_samples=400", "data.minority_fraction=0.2", "training.epochs=2")
MEBI = 2**20


def measure(options: argparse.Namespace) -> Found:
    """Follows as many sweeps as there are rounds."""
    first, runs = (1, 2) if options.tiny else (FIRST, RUNS)
    last = min(LAST, runs - first)
    found, notes = [], []
    for _ in range(options.rounds):
        with tempfile.TemporaryDirectory() as folder:
            held = list(shown(_after_each_run(Path(folder), runs), "memory", runs))
        found += [value / held[first - 1] for value in held[-last:]]
        tops = [f"{held[number - 1] / MEBI:.0f} MiB after run {number}" for number in _some(runs)]
        notes.append(f"Resident memory: {', '.join(tops)}.")
    what = f"memory after each of the last {last} of {runs} runs, plots, model and tracking on"
    return Found([Row(what, f"after run {first}", tuple(found), "< 1.1")], notes)


def _some(runs: int) -> list[int]:
    """Numbers of runs that tell the curve."""
    return [number for number in (1, FIRST, 20, 50, 100, 150) if number < runs] + [runs]


def _after_each_run(folder: Path, runs: int) -> Iterator[int]:
    """Bytes that the process of a sweep holds when the record of each run appears."""
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


def _resident(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the table."""
    return run(measure, __doc__ or "", 1, arguments)


if __name__ == "__main__":
    raise SystemExit(main())
