"""Runs the benchmarks and writes their tables into ``docs/performance.md``.

    python -m benchmarks [--only NAME ...] [--rounds N] [--list]

Each program runs in a process of its own, one after another.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Sequence

from benchmarks import programs
from benchmarks.timing import machine
from benchmarks.timing.page import PAGE, replaced
from benchmarks.timing.typed import ROOT
from src.entry import guarded
from src.errors import UserError


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the programs that were asked for and renews their parts of the page."""
    known = programs()
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", nargs="+", metavar="NAME", default=list(known), help="these")
    parser.add_argument("--rounds", type=int, help="turns of each; default: each one's own")
    parser.add_argument("--list", action="store_true", help="name the programs, run none")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.only if name not in known]
    if unknown:
        raise UserError(f"--only {unknown[0]}: no such program; there are {', '.join(known)}")
    if options.list:
        print("\n".join(f"{name}: about {minutes:g} min" for name, minutes in known.items()))
        print(f"in all: about {sum(known.values()):g} min")
        return 0
    left, failed = sum(known[name] for name in options.only), []
    for number, name in enumerate(options.only, start=1):
        print(f"[{number}/{len(options.only)}] {name}, about {left:g} min left", flush=True)
        failed += [] if _renew(name, options.rounds) else [name]
        left -= known[name]
    print(PAGE)
    if failed:
        raise UserError(f"failed, their tables are as they were: {', '.join(failed)}")
    return 0


def _renew(name: str, rounds: int | None) -> bool:
    """Runs one program and writes what it prints into its part of the page, unless it fails."""
    command = [sys.executable, "-m", "benchmarks.one", name]
    if rounds is not None:
        command += ["--rounds", str(rounds)]
    load, began = machine.load(), time.monotonic()
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, check=False)
    if done.returncode:
        return False
    print(done.stdout, flush=True)
    spent = time.monotonic() - began
    by = f"`python -m benchmarks.one {name}`, {spent:.0f} s; load before {load:.1f}."
    page = replaced(PAGE.read_text(encoding="utf-8"), "machine", machine.description())
    PAGE.write_text(replaced(page, name, f"{done.stdout.strip()}\n\n{by}"), encoding="utf-8")
    return True


if __name__ == "__main__":
    raise SystemExit(guarded(main))
