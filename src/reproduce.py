"""Executes recorded runs again from their record and compares them bit for bit.

python -m src.reproduce RUN_ID [RUN_ID ...]
python -m src.reproduce --sweep SWEEP_ID
"""

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from src.entry import guarded
from src.errors import UserError

if TYPE_CHECKING:
    from src.runs.rerun import Difference

MOST_ROWS = 40


EXAMPLES = """\
Exit status: 0 identical, 1 something differs, 2 cannot be executed as recorded.

Examples:
  python -m src.reproduce RUN_ID      one run, or several
  python -m src.reproduce --sweep     the runs of the sweep that ended last
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints IDENTICAL, or a table of what differs, for each run.

    Args:
        arguments: of the command line; None takes the process's own.

    Returns:
        0 where every run came out identical, else 1.
    """
    options = _parser().parse_args(arguments)
    from src.runs.rerun import rerun
    from src.tracking.store import Store

    store = Store.at(options.root, options.uri)
    run_ids = list(options.run_id)
    if options.sweep is not None:
        children = store.children(store.sweep_id(options.sweep or None))
        run_ids += [run.info.run_id for run in children if run.info.status == "FINISHED"]
    if not run_ids:
        raise UserError("no run to execute: name a RUN_ID, or a sweep with --sweep ID")
    identical = True
    for number, run_id in enumerate(run_ids, start=1):
        found = rerun(store, run_id, allow_different=options.allow_different)
        for line in found.allowed:
            print(f"  not as recorded: {line}")
        place = f"[{number}/{len(run_ids)}] {found.name} ({run_id})"
        if found.differences:
            identical = False
            print(f"{place}: {len(found.differences)} quantities differ")
            _print_differences(found.differences)
        else:
            print(f"{place}: IDENTICAL, {found.compared} numbers compared", flush=True)
    return 0 if identical else 1


def _print_differences(differences: Sequence["Difference"]) -> None:
    table = Table("quantity", "recorded", "again", "difference")
    for found in differences[:MOST_ROWS]:
        table.add_row(found.what, found.recorded, found.again, f"{found.by:.3g}")
    Console(width=120).print(table)
    if len(differences) > MOST_ROWS:
        print(f"… and {len(differences) - MOST_ROWS} more")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m src.reproduce",
        description="Execute recorded runs again and compare metrics, predictions and weights.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=EXAMPLES,
    )
    add = parser.add_argument
    add("run_id", nargs="*", metavar="RUN_ID", help="a finished run")
    add(
        "--sweep",
        metavar="ID",
        nargs="?",
        const="",
        help="every run of a sweep (default: the last)",
    )
    add("--allow-different", action="store_true", help="go on where data, versions or code differ")
    add("--root", default="mlruns", help="folder of the store (default: mlruns)")
    add("--uri", help="address of the store; MLFLOW_TRACKING_URI wins where it is set")
    return parser


if __name__ == "__main__":
    raise SystemExit(guarded(main))
