"""Trains recorded runs again from their record and compares them bit for bit.

python -m src.reproduce RUN_ID [RUN_ID ...]
python -m src.reproduce --sweep SWEEP_ID
"""

import argparse
import tempfile
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from src.entry import guarded
from src.errors import UserError
from src.tracking.address import add_store

if TYPE_CHECKING:
    from src.runs.recorded.rerun import Difference, Rerun
    from src.tracking.store import Store

MOST_ROWS = 40
EXAMPLES = """\
Exit status: 0 identical, 1 something differs, 2 not reproducible.

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
    from src.tracking.store import Store

    store = Store.at(options.root, options.uri)
    run_ids = list(options.run_id)
    if options.sweep is not None:
        children = store.children(store.sweep_id(options.sweep or None))
        run_ids += [run.info.run_id for run in children if run.info.status == "FINISHED"]
    if not run_ids:
        raise UserError("no run to train again: name a RUN_ID, or a sweep with --sweep ID")
    identical = True
    for number, run_id in enumerate(run_ids, start=1):
        name, found = _execute(store, run_id, options)
        for line in found.allowed:
            print(f"  not as recorded: {line}")
        if found.own_modules:
            print(f"  with code of yours: {', '.join(found.own_modules)}")
        label = f"[{number}/{len(run_ids)}] {name} ({run_id})"
        if found.differences:
            identical = False
            print(f"{label}: {len(found.differences)} quantities differ")
            _print_differences(found.differences)
        else:
            print(f"{label}: IDENTICAL, {found.compared} numbers compared", flush=True)
    return 0 if identical else 1


def _execute(store: "Store", run_id: str, options: argparse.Namespace) -> tuple[str, "Rerun"]:
    """Fetches a run's record and trains it again; the run's name, and the comparison."""
    from src.runs.recorded.record_reader import read_record
    from src.runs.recorded.rerun import rerun
    from src.tracking.fetch import download, finished_run, model_of, record_of

    run = finished_run(store, run_id, f"--sweep {run_id} trains a sweep's runs again")
    with tempfile.TemporaryDirectory() as draft:
        model = model_of(store, run)
        recorded = read_record(
            record_of(store, run, draft),
            run_id=run_id,
            name=run.info.run_name,
            tags=run.data.tags,
            metrics=run.data.metrics,
            model=model and download(store, model.artifact_location, f"{draft}/model"),
        )
        found = rerun(recorded, allow_different=options.allow_different, trusted=options.trust)
    return recorded.name, found


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
        description="Train recorded runs again and compare metrics, predictions and weights.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=EXAMPLES,
    )
    add = parser.add_argument
    add("run_id", nargs="*", metavar="RUN_ID", help="a finished run")
    every = "every run of a sweep (default: the last)"
    add("--sweep", metavar="ID", nargs="?", const="", help=every)
    add("--allow-different", action="store_true", help="go on where data, versions or code differ")
    trusted = "a package, module or class that records may build from, beside the usual ones"
    add("--trust", metavar="NAME", action="append", default=[], help=trusted)
    add_store(add)
    return parser


if __name__ == "__main__":
    raise SystemExit(guarded(main))
