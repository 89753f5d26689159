"""Compares losses: table, verdict and report.

    python -m src.compare [--sweep ID | --experiment NAME --filter CONDITION] [--baseline ce]

Reads the MLflow store alone; nothing is trained and TensorFlow is not imported.
"""

import argparse
from argparse import RawDescriptionHelpFormatter
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from src.analysis.runs import DECISIONS
from src.config.ranges import AUTO
from src.entry import guarded
from src.errors import ErrorExit, UserError
from src.tracking.address import add_store

ABOUT = """\
Compares the losses of a sweep, paired by seed: table, verdict, HTML report. Where a sweep tunes
keys, such as the learning rate, each loss is compared at its best by validation. The verdict is
what the 95 % interval says: gain, better, equivalent, worse, loss or undecided
(docs/comparison.md).

Examples:
  python -m src.compare                                    the sweep that ended last
  python -m src.compare --sweep ID --decision tuned        a given one, thresholds tuned
  python -m src.compare --experiment imbalance-lab --filter "tags.data = 'digits'"
  python -m src.compare --homework --strict                the lesson's: exit status 1 on FAIL
  python -m src.compare --json all.json --csv all.csv --out FOLDER
"""
AHEAD = ("gain", "better")
"""Verdicts that ``--strict`` asks for."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the comparison and writes the report.

    Returns:
        0; with ``--strict`` 1 where the homework's verdict is FAIL, or without ``--homework`` where
        a verdict is neither gain nor better.
    """
    options = _parser().parse_args(arguments)
    from src.analysis.answer import answer
    from src.analysis.homework import homework
    from src.analysis.report.files import write_csv, write_json
    from src.analysis.report.publish import publish
    from src.analysis.report.terminal import print_answer
    from src.analysis.selection import select_runs

    selection = select_runs(
        options.root, options.uri, options.sweep, options.experiment, options.filter
    )
    found = answer(
        selection, options.baseline, options.threshold, options.decision, anytime=options.anytime
    )
    judged = found.judged(options.loss)
    found = replace(found, homework=homework(found)) if options.homework else found
    print_answer(found)
    if options.json:
        write_json(options.json, found)
    if options.csv:
        write_csv(options.csv, found)
    pictures = not options.no_images
    addresses = publish(found, options.root, options.uri, options.out, pictures=pictures)
    print(f"Runs:   {selection.title} in {selection.address}; `make ui` opens them")
    for address in addresses:
        print(f"Report: {address}")
    ahead = all(one.verdict in AHEAD for one in judged)
    passed = found.homework.passed if found.homework else ahead
    return int(options.strict and not passed)


class CompareAfterSweep(Callback):
    """Hydra's callback that does the same at the end of a sweep, as ``compare`` in its config says.

    With ``auto`` a sweep over losses is compared where that can be done, and else says why not.
    """

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Compares the runs of the sweep."""
        if not config.compare:
            return
        from src.sweeps.sweep_file import parent_run_id, went_over_losses

        tracking, sweep = config.tracking, parent_run_id(config.hydra)
        by_itself = config.compare == AUTO
        if by_itself and not (sweep and went_over_losses(config.hydra)):
            return
        words = ["--sweep", str(sweep), "--root", tracking.root]
        words += [] if config.report.images else ["--no-images"]
        try:
            main([*words, "--uri", tracking.uri] if tracking.uri else words)
        except Exception as error:  # Hydra turns a callback's errors into warnings, but for exits
            if by_itself and isinstance(error, UserError):
                other = "; python -m src.compare --baseline NAME takes another one"
                print(f"Not compared: {error}{other if '--baseline' in str(error) else ''}")
                return
            raise ErrorExit(1) from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m src.compare",
        usage="python -m src.compare [options]",
        description=ABOUT,
        formatter_class=partial(RawDescriptionHelpFormatter, max_help_position=26, width=100),
    )
    add = parser.add_argument_group("which runs (default: the sweep that ended last)").add_argument
    add("--sweep", metavar="ID", help="run id of a sweep")
    add("--experiment", metavar="NAME", help="all runs of an MLflow experiment")
    add("--filter", metavar="CONDITION", help="in MLflow's search syntax: \"tags.data = 'digits'\"")
    add_store(add, metavar="FOLDER")
    add = parser.add_argument_group("how they are compared").add_argument
    tuned = "argmax, tuned (thresholds, on validation), or prior is judged (argmax)"
    add("--baseline", metavar="NAME", default="ce", help="loss to compare the others with (ce)")
    add("--threshold", metavar="PP", type=_points, default=2.0, help="gain that counts, in pp (2)")
    add("--decision", metavar="NAME", choices=DECISIONS, default="argmax", help=tuned)
    add("--anytime", action="store_true", help="intervals that hold however often one looks")
    add("--homework", action="store_true", help="PASS or FAIL as the lesson's homework puts it")
    add("--strict", action="store_true", help="exit with 1 unless gain or better, or PASS")
    add("--loss", metavar="NAME", help="the loss that --strict judges (all)")
    add = parser.add_argument_group("where the answer goes, beside the terminal").add_argument
    folder = "report and JSON (default: a sweep's run in MLflow; ./comparison for other runs)"
    add("--json", type=Path, metavar="FILE", help="everything, each seed's score too")
    add("--csv", type=Path, metavar="FILE", help="one row a comparison and decision")
    add("--out", type=Path, metavar="FOLDER", help=folder)
    add("--no-images", action="store_true", help="no test image goes into the report")
    return parser


def _points(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not 0 <= value <= 100:
        raise UserError(f"--threshold {text}: must be 0 to 100 percentage points")
    return value


if __name__ == "__main__":
    raise SystemExit(guarded(main))
