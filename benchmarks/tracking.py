"""What tracking takes of a run of 20 epochs, and where the rest of the run's time goes."""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks import jobs
from benchmarks.measure import Found, Row, ratios, run, shown

MINUTES = 3
WORDS = ("training.epochs=20",)
TINY = ("training.epochs=2", "data.n_samples=400", "data.minority_fraction=0.2")
TRACKING = (jobs.OPENING, jobs.EPOCHS, jobs.RESULTS)


def measure(options: argparse.Namespace) -> Found:
    """Trains the same seeds with and without a store, in turn."""
    words = TINY if options.tiny else WORDS
    jobs.start()
    tracked, untracked, spent = [], [], []
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        store = (*words, f"tracking.root={folder / 'store'}")
        jobs.run_job(folder / "first", *store, "seed=1000")  # what only a process's first run does
        for seed in shown(range(options.rounds), "tracking"):
            none = (*words, f"tracking.root={folder / 'none'}", "tracking=none", f"seed={seed}")
            untracked.append(jobs.run_job(folder / "none" / str(seed), *none))
            with jobs.phases() as taken:
                seconds = jobs.run_job(folder / "mlflow" / str(seed), *store, f"seed={seed}")
            tracked.append(seconds)
            spent.append(dict(taken))
    of_tracking = [sum(taken.get(name, 0) for name in TRACKING) for taken in spent]
    saving = [taken.get(jobs.EPOCHS, 0) + taken[jobs.MODEL] for taken in spent]
    rows = [
        Row(
            "all of tracking: store, every epoch, files, model",
            "its whole 20-epoch run",
            ratios(of_tracking, tracked),
            "<= 0.05",
        ),
        Row(
            "logging every epoch, writing the `.keras` file",
            "its whole 20-epoch run",
            ratios(saving, tracked),
            "<= 0.05",
        ),
        Row(
            "a 20-epoch run", "the same with `tracking=none`", ratios(tracked, untracked), "<= 1.05"
        ),
    ]
    return Found(rows, [_profile(spent, tracked)])


def _profile(spent: Sequence[dict[str, float]], whole: Sequence[float]) -> str:
    """Where the time of a run goes: medians over the runs."""
    names = list(dict.fromkeys(jobs.PHASES.values()))
    parts = {name: [taken.get(name, 0.0) for taken in spent] for name in names}
    named = [sum(taken.values()) for taken in spent]
    parts["everything else"] = [all_ - some for all_, some in zip(whole, named, strict=True)]
    lines = ["| phase of a run | ms | share |", "| --- | --: | --: |"]
    for name, values in sorted(parts.items(), key=lambda part: -statistics.median(part[1])):
        share = statistics.median(ratios(values, whole))
        lines.append(f"| {name} | {statistics.median(values) * 1e3:.0f} | {share:.1%} |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the table."""
    return run(measure, __doc__ or "", 5, arguments)


if __name__ == "__main__":
    raise SystemExit(main())
