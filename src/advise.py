"""Says what to expect on a table before anything is trained on it, from the study.

    python -m src.advise FILE --label NAME [data.KEY=VALUE ...]

`--check` says how far that can be trusted: every family of the study left out once.
"""

import argparse
import json
import shlex
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path

from src.entry import guarded
from src.errors import UserError, override

ROOT = Path(__file__).resolve().parents[1]
OWN, SHIPPED = Path("outputs/study/sets.csv"), ROOT / "docs/evidence/sets.csv"
WIDTH = 80


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the advice, or what it is worth."""
    options = _parser().parse_intermixed_args(arguments)
    from src.analysis.study.advice import StudySets, advise, read_table
    from src.analysis.study.advice_text import advice_sections, as_json, lines

    if options.check and (options.file or options.label or options.json or options.all):
        raise UserError("--check: is about the whole study; leave out FILE and what goes with it")
    if word := next((word for word in options.override if "=" not in word), ""):
        raise UserError(f"{word}: is no KEY=VALUE; the column to predict is named by --label")
    table = read_table(_study(options.study))
    if options.check:
        from src.analysis.report.sections import markdown
        from src.runs.labels import encodable

        print(encodable(markdown(advice_sections(table)), sys.stdout.encoding))
        return 0
    if options.file is None:
        raise UserError("FILE is missing: python -m src.advise FILE --label NAME, or --check alone")
    from src.analysis.study.facts import describe
    from src.config.compose import composed
    from src.engine.build import load_dataset

    sets = StudySets.of_table(table)
    label = [] if options.label is None else [override("data.label", options.label)]
    typed = [override("data.path", str(options.file)), *label, *map(shlex.quote, options.override)]
    dataset = load_dataset(composed(["data=table", *shlex.split(" ".join(typed))])["data"])
    advice = advise(sets, describe(dataset))
    following = f"python train.py -m +experiment=my_data {' '.join(typed)}"
    if options.json:
        print(json.dumps(as_json(advice) | {"next": following}, indent=2))
        return 0
    for line in lines(options.file.name, advice, every=options.all):
        print(line if line.startswith(" ") else textwrap.fill(line, WIDTH))
    print(f"Next: {following}")
    return 0


def _study(given: Path | None) -> Path:
    """The table that was named, else that of the user's own study, else the project's."""
    for file in [given] if given else [OWN, SHIPPED]:
        if file.is_file():
            return file
    raise UserError(
        f"--study {given}: no such file"
        if given
        else f"There is no study: neither {OWN} nor {SHIPPED}; make study makes the first, "
        "--study FILE names another"
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m src.advise",
        description="Say what each loss, sampling and decision is expected to gain on a table, "
        "from a study over data sets, before anything is trained.",
    )
    add = parser.add_argument
    add("file", nargs="?", type=Path, help="CSV, TSV, Parquet or NPZ, as for data=table")
    add("override", nargs="*", help="how to read it: data.header=false data.delimiter=tab ...")
    add("--label", help="name or index of the column to predict (default: the last)")
    add("--study", type=Path, metavar="FILE", help=f"sets.csv (default: {OWN}, else the project's)")
    add("--all", action="store_true", help="show every method and decision")
    add("--json", action="store_true", help="print all of it as JSON")
    add("--check", action="store_true", help="predict each family of the study from the others")
    return parser


if __name__ == "__main__":
    raise SystemExit(guarded(main))
