"""Checks custom losses, metrics, layers and models: what always goes wrong, looked for by name.

    python -m src.check src.components:MacroF1 --args '{"num_classes": 3}'
    python -m src.check homework/my_loss.py:focal_loss --json
    python -m src.check --submissions homework

The code under check runs in a child process with a time limit. Exit status: 0 nothing failed
(warnings are allowed), 1 something failed, 2 a mistake in the command.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from src.checks.registry import KINDS
from src.entry import guarded
from src.errors import UserError

EXAMPLES = """\
Exit status: 0 nothing failed, 1 something failed, 2 a mistake in the command.

Examples:
  python -m src.check src.components:MacroF1
  python -m src.check mylosses.py:MyLoss --args '{"gamma": 2}'
  python -m src.check --submissions FOLDER
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints what the checks found.

    Args:
        arguments: of the command line; None takes the process's own.

    Returns:
        0 where nothing failed, else 1.
    """
    options = _parser().parse_args(arguments)
    given = _arguments(options.args)
    if options.timeout <= 0:
        raise UserError(f"--timeout {options.timeout:g}: must be a number of seconds > 0")
    if options.submissions is not None:
        if options.components or options.kind or options.json or options.input_shape:
            raise UserError("--submissions takes a folder, --args, --timeout and --out, no more")
        return _grade(options.submissions, options.out, options.timeout, given)
    if not options.components:
        raise UserError("name a component, MODULE:NAME or FILE.py:NAME, or --submissions FOLDER")
    return _check(options, given)


def _check(options: argparse.Namespace, given: dict[str, Any]) -> int:
    from src.checks.grading.terminal import print_report
    from src.checks.sandbox.locate import locate
    from src.checks.sandbox.sandbox import Sandbox

    located = {text: locate(text) for text in options.components}
    how = {"kind": options.kind, "arguments": given, "input_shape": _shape(options.input_shape)}
    reports = []
    with Sandbox(options.timeout) as sandbox:
        for text, where in located.items():
            try:
                reports.append(sandbox.report(**where, **how))
            except UserError as error:
                raise UserError(f"{text}: {error}") from error
            if not options.json:
                print_report(reports[-1])
    if options.json:
        listed = [report.as_dict() for report in reports]
        print(json.dumps(listed[0] if len(listed) == 1 else listed, indent=1, ensure_ascii=False))
    return 0 if all(report.passed for report in reports) else 1


def _grade(folder: Path, out: Path, timeout: float, given: dict[str, Any]) -> int:
    from src.checks.grading.sheet import CSV, HTML, row_of, write_csv, write_html
    from src.checks.grading.submissions import grade

    if out.exists() and not out.is_dir():
        raise UserError(f"--out {out}: is a file, must be a folder")
    submissions = grade(folder, timeout, given)
    out.mkdir(parents=True, exist_ok=True)
    write_csv(out / CSV, submissions)
    write_html(out / HTML, submissions)
    for submission in submissions:
        row = row_of(submission)
        print(f"{row['verdict']}  {row['file']}: {row['problem'] or row['failed_checks'] or 'all'}")
    passed = sum(submission.passed for submission in submissions)
    print(f"{passed} of {len(submissions)} files pass; {out / CSV}, {out / HTML}")
    return 0 if passed == len(submissions) else 1


def _arguments(text: str | None) -> dict[str, Any]:
    if text is None:
        return {}
    try:
        given = json.loads(text)
    except ValueError as error:
        raise UserError(
            f"--args {text}: is no JSON ({error}), for example '{{\"gamma\": 2}}'"
        ) from error
    if not isinstance(given, dict):
        raise UserError(f"--args {text}: must be a JSON object, for example '{{\"gamma\": 2}}'")
    return given


def _shape(text: str | None) -> tuple[int, ...] | None:
    if text is None:
        return None
    sizes = text.split(",")
    if not all(size.strip().isdecimal() and int(size) > 0 for size in sizes):
        raise UserError(f"--input-shape {text}: must be sizes without the batch, such as 8,8,3")
    return tuple(int(size) for size in sizes)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m src.check",
        description="Check custom Keras losses, metrics, layers and models.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=EXAMPLES,
    )
    add = parser.add_argument
    add("components", nargs="*", metavar="MODULE:NAME", help="or FILE.py:NAME; one or more")
    add("--kind", choices=KINDS, help="what it must be (default: what it is)")
    add("--args", metavar="JSON", help="constructor arguments, for example '{\"gamma\": 2}'")
    add("--input-shape", metavar="SIZES", help="of one example, for a layer or model: 8,8,3")
    add("--json", action="store_true", help="print JSON instead of text")
    add("--timeout", type=float, default=120.0, metavar="S", help="a component (default: 120)")
    add("--submissions", type=Path, metavar="FOLDER", help="grade every .py file in a folder")
    add(
        "--out",
        type=Path,
        default=Path(),
        metavar="FOLDER",
        help="of the CSV and HTML (default: .)",
    )
    return parser


if __name__ == "__main__":
    raise SystemExit(guarded(main))
