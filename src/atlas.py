"""Draws the atlas: where focal loss gains over cross-entropy, and where it loses.

    python -m src.atlas [--experiment atlas] [--loss NAME ...] [--out FOLDER]

Reads the MLflow store alone; `make atlas` trains what is missing first.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from src.entry import guarded
from src.tracking.address import add_store


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the summary and writes the heat maps."""
    options = _parser().parse_args(arguments)
    from src.analysis.atlas.grid import draw_atlas
    from src.analysis.atlas.page import sections, write_atlas
    from src.analysis.report.sections import markdown
    from src.analysis.selection import select_runs
    from src.runs.labels import encodable

    selection = select_runs(options.root, options.uri, experiment=options.experiment)
    atlas = draw_atlas(selection.runs, options.baseline, options.loss, options.rate)
    text = markdown(sections(atlas))
    head = f"{atlas.title}: {atlas.runs} runs.\n\n{text.partition('###')[0]}"
    print(encodable(head, sys.stdout.encoding))
    for sentence in selection.left_out:
        print(f"left out: {sentence}")
    options.out.mkdir(parents=True, exist_ok=True)
    write_atlas(options.out / "atlas.html", atlas)
    (options.out / "atlas.md").write_text(text, encoding="utf-8")
    print(f"Heat maps: {options.out / 'atlas.html'}; as Markdown: {options.out / 'atlas.md'}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m src.atlas",
        description="Draw where losses gain over the baseline: problems by budget and capacity, "
        "at argmax and with decisions tuned on the validation split.",
    )
    add = parser.add_argument
    add("--experiment", default="atlas", help="MLflow experiment (default: atlas)")
    add("--baseline", default="ce", help="loss to compare with (default: ce)")
    add("--loss", nargs="+", default=(), metavar="NAME", help="losses to draw (default: all)")
    rate = "learning rate at which all losses are compared, too (default: 0.001)"
    add("--rate", type=float, default=0.001, help=rate)
    add("--out", type=Path, default=Path("outputs/atlas"), metavar="FOLDER", help="for atlas.html")
    add_store(add)
    return parser


if __name__ == "__main__":
    raise SystemExit(guarded(main))
