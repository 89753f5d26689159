"""Checks custom losses, metrics, layers and models: what always goes wrong, looked for by name.

    python -m src.check src.components:MacroF1 --args '{"num_classes": 3}'
    python -m src.check homework/my_loss.py:focal_loss --json --lang es
    python -m src.check --submissions homework --rubric rubric.yaml

The code under check runs in a child process with a time limit. Exit status: 0 nothing failed
(warnings are allowed), 1 something failed, 2 a mistake in the command.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from src.checks.language import ENGLISH, languages, marked, mistake, say, speaking, translated
from src.checks.registry import KINDS
from src.entry import guarded
from src.errors import UserError

LONGEST = 1e9  # seconds that a component may be given
EXAMPLES = marked(
    """\
Exit status: 0 nothing failed, 1 something failed, 2 a mistake in the command.

Examples:
  python -m src.check src.components:MacroF1
  python -m src.check mylosses.py:MyLoss --args '{"gamma": 2}'
  python -m src.check --submissions FOLDER --rubric FILE.yaml
"""
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints what the checks found.

    Args:
        arguments: of the command line; None takes the process's own.

    Returns:
        0 where nothing failed, else 1.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    with speaking(_language(arguments)):
        return _main(arguments)


def _language(arguments: Sequence[str]) -> str:
    """The language asked for, which the parser of the rest speaks already."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--lang", default=ENGLISH)
    return str(parser.parse_known_args(arguments)[0].lang)


def _main(arguments: Sequence[str]) -> int:
    options = _parser().parse_args(arguments)
    given = _arguments(options.args)
    if not 0 < options.timeout < LONGEST:
        raise mistake("--timeout {:g}: must be a number of seconds > 0", options.timeout)
    if options.submissions is not None:
        if options.components or options.kind or options.json or options.input_shape:
            raise mistake(
                "--submissions takes a folder, --args, --timeout, --out, --rubric and --lang, "
                "no more"
            )
        return _grade(options, given)
    for name in ("rubric", "out"):
        if getattr(options, name) is not None:
            raise mistake("--{} is for a folder: give --submissions FOLDER too", name)
    if not options.components:
        raise mistake("name a component, MODULE:NAME or FILE.py:NAME, or --submissions FOLDER")
    return _check(options, given)


def _check(options: argparse.Namespace, given: dict[str, Any]) -> int:
    from src.checks.grading.terminal import print_report
    from src.checks.sandbox.locate import locate
    from src.checks.sandbox.sandbox import report, start

    located = {text: locate(text) for text in options.components}
    how = {"kind": options.kind, "arguments": given, "input_shape": _shape(options.input_shape)}
    reports = []
    start()
    for text, where in located.items():
        try:
            reports.append(report(timeout=options.timeout, **where, **how))
        except UserError as error:
            raise UserError(f"{text}: {error}") from error
        if not options.json:
            print_report(reports[-1])
    if options.json:
        listed = [report.as_dict() for report in reports]
        print(json.dumps(listed[0] if len(listed) == 1 else listed, indent=1, ensure_ascii=False))
    return 0 if all(report.passed for report in reports) else 1


def _grade(options: argparse.Namespace, given: dict[str, Any]) -> int:
    from src.checks.grading.rubric import Rubric
    from src.checks.grading.sheet import write_sheets
    from src.checks.grading.submissions import grade
    from src.checks.grading.summary import passes
    from src.checks.grading.terminal import print_grades

    out: Path = options.out or Path()
    if out.exists() and not out.is_dir():
        raise mistake("--out {}: is a file, must be a folder", out)
    rubric = Rubric.read(options.rubric) if options.rubric is not None else None
    submissions = grade(options.submissions, options.timeout, given)
    out.mkdir(parents=True, exist_ok=True)
    files = write_sheets(out, submissions, rubric)
    print_grades(submissions, rubric)
    passed = sum(passes(submission, rubric) for submission in submissions)
    print(say("{} of {} files pass", passed, len(submissions)) + f"; {', '.join(map(str, files))}")
    return 0 if passed == len(submissions) else 1


def _arguments(text: str | None) -> dict[str, Any]:
    if text is None:
        return {}
    try:
        given = json.loads(text)
    except ValueError as error:
        raise mistake(
            "--args {}: is no JSON ({}), for example '{{\"gamma\": 2}}'", text, error
        ) from error
    if not isinstance(given, dict):
        raise mistake("--args {}: must be a JSON object, for example '{{\"gamma\": 2}}'", text)
    return given


def _shape(text: str | None) -> tuple[int, ...] | None:
    if text is None:
        return None
    sizes = text.split(",")
    if not all(size.strip().isdecimal() and int(size) > 0 for size in sizes):
        raise mistake("--input-shape {}: must be sizes without the batch, such as 8,8,3", text)
    return tuple(int(size) for size in sizes)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m src.check",
        description=say("Check custom Keras losses, metrics, layers and models."),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=translated(EXAMPLES),
    )
    add = parser.add_argument
    add("components", nargs="*", metavar="MODULE:NAME", help=say("or FILE.py:NAME; one or more"))
    add("--kind", choices=KINDS, help=say("what it must be (default: what it is)"))
    add("--args", metavar="JSON", help=say("constructor arguments, for example '{{\"gamma\": 2}}'"))
    add("--input-shape", metavar="SIZES", help=say("of one example, for a layer or model: 8,8,3"))
    add("--json", action="store_true", help=say("print JSON instead of text"))
    add("--timeout", type=float, default=120.0, metavar="S", help=say("a component (default: 120)"))
    add("--submissions", type=Path, metavar="FOLDER", help=say("grade every .py file in a folder"))
    add(
        "--rubric", type=Path, metavar="FILE", help=say("YAML: what each check weighs in the grade")
    )
    add(
        "--lang",
        choices=languages(),
        default=ENGLISH,
        help=say("of all that is said (default: en)"),
    )
    add(
        "--out",
        type=Path,
        metavar="FOLDER",
        help=say("of the CSV and HTML (default: .)"),
    )
    return parser


if __name__ == "__main__":
    raise SystemExit(guarded(main))
