"""Runs the benchmarks and writes their tables into ``docs/performance.md``.

    python -m benchmarks [--only NAME ...] [--rounds N] [--list]

Each program runs in a process of its own, one after another.
"""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import subprocess
import sys
import time
from collections.abc import Sequence

import benchmarks
from benchmarks.timing import machine
from benchmarks.timing.page import PAGE, replaced
from benchmarks.timing.typed import ROOT
from src.entry import guarded
from src.errors import UserError


def programs() -> dict[str, float]:
    """The programs, and about how many minutes each takes.

    They are the modules that say how many ``MINUTES`` they take; ``serving`` says none, since it
    needs a champion, and is run by itself.
    """
    names = sorted(module.name for module in pkgutil.iter_modules(benchmarks.__path__))
    modules = {name: importlib.import_module(f"benchmarks.{name}") for name in names}
    return {name: module.MINUTES for name, module in modules.items() if hasattr(module, "MINUTES")}


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
        return 0
    left = sum(known[name] for name in options.only)
    for number, name in enumerate(options.only, start=1):
        print(f"[{number}/{len(options.only)}] {name}, about {left:g} min left", flush=True)
        _renew(name, options.rounds)
        left -= known[name]
    print(PAGE)
    return 0


def _renew(name: str, rounds: int | None) -> None:
    """Runs one program and writes what it prints into its part of the page."""
    command = [sys.executable, "-m", f"benchmarks.{name}"]
    if rounds is not None:
        command += ["--rounds", str(rounds)]
    load, began = machine.load(), time.monotonic()
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, check=False)
    if done.returncode:
        raise UserError(f"benchmarks.{name}: ended with exit status {done.returncode}")
    print(done.stdout, flush=True)
    spent = time.monotonic() - began
    by = f"`python -m benchmarks.{name}`, {spent:.0f} s; load before {load:.1f}."
    page = replaced(PAGE.read_text(encoding="utf-8"), "machine", machine.description())
    PAGE.write_text(replaced(page, name, f"{done.stdout.strip()}\n\n{by}"), encoding="utf-8")


if __name__ == "__main__":
    raise SystemExit(guarded(main))
