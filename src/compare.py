"""Compares losses: table, verdict and report.

    python -m src.compare [--sweep ID | --experiment NAME --filter CONDITION] [--baseline ce]

Reads the MLflow store alone; nothing is trained and TensorFlow is not imported.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from src.analysis.runs import DECISIONS
from src.entry import guarded
from src.errors import ErrorExit, UserError

if TYPE_CHECKING:
    from src.analysis.answer import Answer


EXAMPLES = """\
The verdict is PASS where the mean gain in test macro F1 is at least the threshold and the lower end
of its 95 % bootstrap interval is above 0. docs/comparison.md says what each number is.

Examples:
  python -m src.compare                                    the sweep that ended last
  python -m src.compare --sweep ID --decision tuned        a given one, decisions tuned
  python -m src.compare --experiment imbalance-lab --filter "tags.data = 'digits'"
  python -m src.compare --json all.json --csv all.csv --out FOLDER
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the comparison and writes the report.

    Args:
        arguments: of the command line; None takes the process's own.

    Returns:
        0, or with ``--strict`` 1 where a verdict is FAIL.
    """
    options = _parser().parse_args(arguments)
    from src.analysis.answer import answer
    from src.analysis.report.terminal import print_answer
    from src.analysis.selection import select_runs

    selection = select_runs(
        options.root, options.uri, options.sweep, options.experiment, options.filter
    )
    found = answer(selection, options.baseline, options.threshold, options.decision)
    judged = found.judged(options.loss)
    print_answer(found)
    _write(found, options)
    failed = any(not one.passed for one in judged)
    return 1 if options.strict and failed else 0


class CompareAfterSweep(Callback):
    """Hydra's callback that does the same at the end of a sweep with ``compare=true``."""

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Compares the runs of the sweep."""
        if not config.compare:
            return
        from src.sweeps.jobs import parent_run_id

        tracking, sweep = config.tracking, parent_run_id(config.hydra)
        words = ["--sweep", str(sweep), "--root", tracking.root]
        try:
            main([*words, "--uri", tracking.uri] if tracking.uri else words)
        except Exception as error:  # Hydra turns a callback's errors into warnings, but for exits
            raise ErrorExit(1) from error


def _write(found: "Answer", options: argparse.Namespace) -> None:
    from src.analysis.report.files import write_csv, write_json
    from src.analysis.report.publish import publish

    if options.json:
        write_json(options.json, found)
    if options.csv:
        write_csv(options.csv, found)
    for place in publish(found, options.root, options.uri, options.out):
        print(f"Report: {place}")
    print(f"Runs:   {found.selection.title} in {found.selection.address}; `make ui` opens them")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m src.compare",
        description="Compare losses, paired by seed: table, verdict, HTML report.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=EXAMPLES,
    )
    which = parser.add_argument_group("which runs (default: those of the sweep that ended last)")
    which.add_argument("--sweep", metavar="ID", help="run id of a sweep")
    which.add_argument("--experiment", metavar="NAME", help="all runs of an MLflow experiment")
    which.add_argument(
        "--filter",
        metavar="CONDITION",
        help="runs that meet a condition in MLflow's search syntax: \"tags.data = 'digits'\"",
    )
    which.add_argument("--root", default="mlruns", help="folder of the store (default: mlruns)")
    which.add_argument(
        "--uri", help="address of the store; MLFLOW_TRACKING_URI wins where it is set"
    )
    how = parser.add_argument_group("how they are compared")
    how.add_argument("--baseline", default="ce", help="loss to hold the others against (ce)")
    how.add_argument("--threshold", type=_points, default=2.0, help="gain that counts, in pp (2)")
    how.add_argument(
        "--decision",
        choices=DECISIONS,
        default="argmax",
        help="judge argmax, or class offsets tuned on the validation split (argmax)",
    )
    how.add_argument("--strict", action="store_true", help="exit with 1 where a verdict is FAIL")
    how.add_argument("--loss", metavar="NAME", help="the loss that --strict judges (all)")
    to = parser.add_argument_group("where the answer goes, beside the terminal")
    to.add_argument("--json", type=Path, metavar="FILE", help="everything, each seed's score too")
    to.add_argument("--csv", type=Path, metavar="FILE", help="one row a comparison and decision")
    to.add_argument(
        "--out",
        type=Path,
        metavar="FOLDER",
        help="report and JSON (default: a sweep's run in MLflow; ./comparison for other runs)",
    )
    return parser


def _points(text: str) -> float:
    try:
        value = float(text)
    except ValueError as error:
        raise UserError(f"--threshold {text}: must be a number of percentage points") from error
    if not 0 <= value <= 100:
        raise UserError(f"--threshold {text}: must lie between 0 and 100 percentage points")
    return value


if __name__ == "__main__":
    raise SystemExit(guarded(main))
