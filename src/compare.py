"""Compares the losses of a sweep: table, verdict and report.

    python -m src.compare [--sweep ID] [--baseline ce] [--threshold 2]

Reads the MLflow store alone; nothing is trained and TensorFlow is not imported.
"""

import argparse
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from src.entry import guarded
from src.errors import UserError


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the comparison and writes the report.

    Args:
        arguments: of the command line; None takes the process's own.

    Returns:
        0, or with ``--strict`` 1 where a verdict is FAIL.
    """
    options = _parser().parse_args(arguments)
    from src.analysis.paired import compare
    from src.analysis.report import HTML, JSON, print_comparisons, write_html, write_json
    from src.analysis.runs import load_sweep
    from src.tracking.store import Store

    store = Store.at(options.root, options.uri)
    sweep = load_sweep(store, options.sweep)
    comparisons = compare(sweep.runs, options.baseline, options.threshold)
    print_comparisons(comparisons)
    for name in sweep.unfinished:
        print(f"did not finish, left out: {name}")
    with tempfile.TemporaryDirectory() as draft:
        folder = options.out or Path(draft)
        folder.mkdir(parents=True, exist_ok=True)
        write_json(folder / JSON, sweep, comparisons)
        write_html(folder / HTML, sweep, comparisons)
        for name in (HTML, JSON):
            store.client.log_artifact(sweep.run_id, str(folder / name))
    print(f"Report: {_artifact(sweep.artifacts, HTML)}")
    print(f"Runs:   sweep {sweep.run_id} in {store.uri}; `make ui` opens them side by side")
    failed = any(not found.passed for found in comparisons)
    return 1 if options.strict and failed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m src.compare",
        description="Compare the losses of a sweep, paired by seed: table, verdict, HTML report.",
        epilog="The verdict is PASS where the mean gain in test macro F1 is at least the threshold "
        "and the lower end of its 95 %% bootstrap interval is above 0.",
    )
    add = parser.add_argument
    add("--sweep", metavar="ID", help="run id of the sweep (default: the one that ended last)")
    add("--baseline", default="ce", help="loss to hold the others against (default: ce)")
    add("--threshold", type=_points, default=2.0, help="gain that counts, in pp (default: 2)")
    add("--out", type=Path, metavar="FOLDER", help="also write report and JSON here")
    add("--strict", action="store_true", help="exit with 1 where a verdict is FAIL")
    add("--root", default="mlruns", help="folder of the store (default: mlruns)")
    add("--uri", help="address of the store; MLFLOW_TRACKING_URI wins where it is set")
    return parser


def _points(text: str) -> float:
    try:
        value = float(text)
    except ValueError as error:
        raise UserError(f"--threshold {text}: must be a number of percentage points") from error
    if not 0 <= value <= 100:
        raise UserError(f"--threshold {text}: must lie between 0 and 100 percentage points")
    return value


def _artifact(address: str, name: str) -> str:
    """Where an artifact lies: a path where it is on this disk, an address elsewhere."""
    place = address.removeprefix("file://")
    return f"{place if '://' in place else os.path.relpath(place)}/{name}"


if __name__ == "__main__":
    raise SystemExit(guarded(main))
