"""Writes the study over data sets: its page, its report with pictures, and its table.

    python -m src.study [--experiment study] [--out FOLDER] [--docs docs/evidence.md]

Reads the MLflow store alone; `make study` trains what is missing first.
"""

import argparse
import ast
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from src.entry import guarded
from src.errors import UserError
from src.tracking.address import add_store

if TYPE_CHECKING:
    from src.analysis.runs import FinishedRun

TABLE, NODE, DECIMALS = "sets.csv", "data.", 6
BEGIN, END = "<!-- study -->", "<!-- /study -->"


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes page, report and table, and prints the answer."""
    options = _parser().parse_args(arguments)
    from src.analysis.report.sections import markdown, write_page
    from src.analysis.selection import select_runs
    from src.analysis.study.advice_text import advice_sections
    from src.analysis.study.page import TITLE, sections
    from src.analysis.study.table import tabulate
    from src.runs.labels import encodable

    before, after = _around(options.docs) if options.docs else ("", "")
    selection = select_runs(options.root, options.uri, None, options.experiment, options.filter)
    runs = [*selection.runs, *selection.references]
    facts, unknown = _facts(runs)
    study = tabulate(runs, options.baseline, facts, [*selection.left_out, *unknown])
    found = [*sections(study), *advice_sections(study.sets)]
    text = markdown(found)
    tables = [options.out / TABLE]
    if options.docs:
        options.docs.write_text(f"{before}{BEGIN}\n\n{text}\n{END}{after}", encoding="utf-8")
        tables.append(options.docs.with_suffix("") / TABLE)
    for file in tables:
        file.parent.mkdir(parents=True, exist_ok=True)
        study.sets.round(DECIMALS).to_csv(file, index=False)
    write_page(options.out / "report.html", TITLE, found)
    (options.out / "evidence.md").write_text(text, encoding="utf-8")
    print(encodable(markdown(found[:1]), sys.stdout.encoding))
    print(f"Report: {options.out / 'report.html'}; page: {options.out / 'evidence.md'}; ", end="")
    print(f"one row per set, method and decision: {options.out / TABLE}")
    return 0


def _facts(runs: Sequence["FinishedRun"]) -> tuple[dict[str, dict[str, float]], list[str]]:
    """Facts of each data set, by loading it again; a sentence on those that cannot be loaded."""
    from src.analysis.study.facts import describe
    from src.engine.build import load_dataset

    found, lacking = {}, {}
    for data, run in {run.data: run for run in runs}.items():
        node = {
            key.removeprefix(NODE): _value(text)
            for key, text in run.params.items()
            if key.startswith(NODE)
        }
        try:
            found[data] = describe(load_dataset(node))
        except UserError as error:
            lacking[data] = str(error)
    return found, [
        f"overlap and columns of {len(lacking)} data sets, which cannot be loaded here: "
        f"{', '.join(lacking)}; of {first}: {lacking[first]}"
        for first in list(lacking)[:1]
    ]


def _value(text: str) -> Any:
    """A parameter of a run as it was: MLflow keeps its text."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def _around(file: Path) -> tuple[str, str]:
    """The text before and behind the part of a page that is written here."""
    if not file.is_file():
        raise UserError(f"--docs {file}: no such file; its part behind {BEGIN} is renewed")
    page = file.read_text(encoding="utf-8")
    if page.count(BEGIN) != 1 or page.count(END) != 1 or page.index(END) < page.index(BEGIN):
        raise UserError(f"--docs {file}: needs one line {BEGIN} and one line {END} below it")
    return page.partition(BEGIN)[0], page.partition(END)[2]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m src.study",
        description="Say what the losses of a study gain over a baseline, on each data set and "
        "over all of them, families of sets as the independent units.",
    )
    add = parser.add_argument
    add("--experiment", default="study", help="MLflow experiment (default: study)")
    add("--filter", metavar="CONDITION", help="of its runs those alone, in MLflow's search syntax")
    add("--baseline", default="ce", help="label of the loss to compare with (default: ce)")
    add("--out", type=Path, default=Path("outputs/study"), metavar="FOLDER", help="for the files")
    add("--docs", type=Path, metavar="FILE", help=f"page whose part behind {BEGIN} is renewed")
    add_store(add)
    return parser


if __name__ == "__main__":
    raise SystemExit(guarded(main))
