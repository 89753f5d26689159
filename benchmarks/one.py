"""Runs one benchmark and prints its table: ``python -m benchmarks.one NAME``."""

from __future__ import annotations

import argparse
import importlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import benchmarks


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the program that was asked for.

    Args:
        arguments: of the command line; None takes the process's own.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks.one", description=__doc__)
    parser.add_argument("name", choices=benchmarks.programs(), metavar="NAME")
    parser.add_argument("--rounds", type=_count, help="turns; default: the program's own")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all values there too")
    parser.add_argument("--tiny", action="store_true", help="a form for tests, of no meaning")
    options = parser.parse_args(arguments)
    program = importlib.import_module(f"benchmarks.{options.name}")
    options.rounds = options.rounds or program.ROUNDS
    found = program.measure(options)
    if options.json:
        options.json.write_text(json.dumps(asdict(found), indent=1), encoding="utf-8")
    print(found.markdown(), flush=True)
    return 0


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, not {number}")
    return number


if __name__ == "__main__":
    raise SystemExit(main())
