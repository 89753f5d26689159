"""Predicts the rows of a file, or the pictures of a folder, with a saved model.

python -m src.predict --model NAME@champion rows.csv -o out.csv
python -m src.predict --model NAME@champion FOLDER -o out.csv
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from src.entry import INTERRUPTED, guarded
from src.errors import UserError
from src.saved_model.decisions import DECISIONS
from src.tracking.address import add_store

if TYPE_CHECKING:
    from src.serving.find import SavedModel
    from src.serving.tally import Tally

MOST_CLASSES = 10
BINARY = (".parquet", ".npz")
EXAMPLES = """\
examples:
  python -m src.predict --model fraud@champion rows.csv -o out.csv
  python -m src.predict --model 0123456789abcdef0123456789abcdef rows.parquet -o out.parquet
  python -m src.predict --model leaves@champion FOLDER -o out.csv
  python -m src.predict --model outputs/DATE/TIME rows.csv -o out.csv --keep id --decision argmax
"""
BARE = """\
a bare .keras file: no preprocessing, class names or tuned thresholds come with it. Rows must be \
features as the network takes them, in its order; classes are numbered; the decision is argmax."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Predicts, and says what came out."""
    options = _parser().parse_args(arguments)
    from src.serving.answer_file import check_answer_path
    from src.serving.find import find_model
    from src.serving.predict_file import predict_file
    from src.serving.predict_images import are_pictures, predict_images

    of_pictures = are_pictures(options.rows)
    _check_options(options, of_pictures=of_pictures)
    check_answer_path(options.out, options.rows)
    model = find_model(options.model, options.root, options.uri, trust_code=options.trust_code)
    decision = options.decision or model.decision
    if model.facts is None:
        print(f"Note: {model.title} is {BARE}")
    try:
        if of_pictures:
            tally = predict_images(
                model, options.rows, options.out, decision, skip_damaged=options.skip_damaged
            )
        else:
            tally = predict_file(
                model,
                options.rows,
                options.out,
                decision,
                keep=tuple(dict.fromkeys(options.keep)),
                ignore_extra=options.ignore_extra,
                header=options.header,
                delimiter=options.delimiter,
                encoding=options.encoding,
            )
    except KeyboardInterrupt:
        print(f"\nInterrupted; {options.out} was not written.", file=sys.stderr)
        return INTERRUPTED
    _report(model, tally, options.out, decision)
    return 0


def _check_options(options: argparse.Namespace, *, of_pictures: bool) -> None:
    """Refuses an option that would change nothing about rows of this kind, and missing rows."""
    given = {
        "--keep": bool(options.keep),
        "--ignore-extra": options.ignore_extra,
        "--header": options.header is True,
        "--no-header": options.header is False,
        "--delimiter": options.delimiter is not None,
        "--encoding": options.encoding is not None,
        "--skip-damaged": options.skip_damaged,
    }
    kind, right = "a text file", [*given][:-1]
    if of_pictures:
        kind, right = "pictures", ["--skip-damaged"]
    elif options.rows.suffix.lower() in BINARY:
        kind, right = f"a {options.rows.suffix} file", ["--keep", "--ignore-extra"]
    for option, is_given in given.items():
        if is_given and option not in right:
            raise UserError(
                f"{option}: does not go with {kind} ({options.rows}); leave it out. Right there: "
                f"{', '.join(right)}"
            )
    if not options.rows.exists():
        raise UserError(f"{options.rows}: does not exist (looked from {Path.cwd()})")


def _report(model: "SavedModel", tally: "Tally", out: Path, decision: str) -> None:
    given = tally.counts.sum(axis=0)
    shown = [
        f"{tally.class_names[k]} {given[k]:,} ({100 * given[k] / max(tally.rows, 1):.1f} %)"
        for k in given.argsort(kind="stable")[::-1][:MOST_CLASSES]
    ]
    more = f" and {len(given) - MOST_CLASSES} more" if len(given) > MOST_CLASSES else ""
    done = f"{tally.rows:,} {tally.counted} predicted in {tally.seconds:.1f} s"
    print(f"{model.title}: {done}, {decision} decision -> {out}")
    print(f"Classes: {', '.join(shown)}{more}")
    if tally.truth:
        print(
            f"{tally.truth}, and was not used to predict; macro F1 over "
            f"{tally.labelled:,} {tally.counted} with a known class: {tally.f1_macro:.4f} (no "
            f"test, where the model was trained on these {tally.counted})"
        )
    for said, names in (("Not used", tally.ignored), ("Damaged, left out", tally.damaged)):
        if names:
            listed = ", ".join(names[:MOST_CLASSES])
            print(f"{said}: {listed}{' …' if len(names) > MOST_CLASSES else ''}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m src.predict",
        description="Predict the rows of a CSV, TSV, Parquet or NPZ file, or the pictures of a "
        "folder, with a saved model: the class of each and the probability of each class.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add(
        "rows",
        type=Path,
        help="file with the columns that the model was trained on, raw; or a folder of pictures, "
        "or one picture (PNG, JPEG, BMP, GIF)",
    )
    add(
        "--model",
        required=True,
        metavar="MODEL",
        help="NAME@ALIAS, a run id, the folder of a logged model or of a run, or a .keras file",
    )
    add("-o", "--out", type=Path, required=True, help="CSV, TSV or Parquet; replaced when whole")
    add(
        "--decision",
        choices=DECISIONS,
        help="tuned on validation for macro F1, the most probable class (argmax), or that once the "
        "classes' shares of the training rows are divided out (prior); as the model was promoted: "
        "tuned, unless `src.promote --decision` named another",
    )
    add("--keep", action="append", default=[], metavar="COLUMN", help="copy into the answer")
    add("--ignore-extra", action="store_true", help="go on where there are more columns")
    add("--skip-damaged", action="store_true", help="leave pictures out that cannot be read")
    add(
        "--header",
        action=argparse.BooleanOptionalAction,
        help="whether the first row holds names (default: as in the file trained on)",
    )
    add(
        "--delimiter",
        help="comma, semicolon, tab, pipe, space or a character (default: as in training)",
    )
    add("--encoding", help="of a text file, such as cp1252 (default: as in training)")
    add(
        "--trust-code",
        action="store_true",
        help="run the code of its own that a model's folder brings",
    )
    add_store(add)
    return parser


if __name__ == "__main__":
    raise SystemExit(guarded(main))
