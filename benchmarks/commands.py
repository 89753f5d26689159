"""Commands that train nothing, against the import of the library that they cannot do without."""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.made_runs import make_store
from benchmarks.measure import Found, Row, in_turn, ratios, run
from src.entry import FULL_ERROR

MINUTES = 3
ROOT = Path(__file__).resolve().parents[1]
HYDRA, MLFLOW = "import hydra", "import mlflow"
COMMANDS = {
    "`--help`": (("train.py", "--help"), HYDRA),
    "`--cfg job`": (("train.py", "--cfg", "job"), HYDRA),
    "a misspelt choice": (("train.py", "loss=focl"), HYDRA),
    "a value out of range": (("train.py", "loss.gamma=-1"), HYDRA),
    "a sweep with a wrong job": (("train.py", "-m", "loss=focal", "loss.gamma=0,-1"), HYDRA),
    "`src.compare --help`": (("-m", "src.compare", "--help"), HYDRA),
    "`src.compare` of 20 runs": (("-m", "src.compare", "--root", "{store}"), MLFLOW),
}


def measure(options: argparse.Namespace) -> Found:
    """Times every command and both imports as whole processes."""
    chosen = dict(list(COMMANDS.items())[1:3]) if options.tiny else COMMANDS
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        make_store(folder / "store", 20)
        sides = [_timed(["-c", words], folder) for words in (HYDRA, MLFLOW)]
        lines = [[word.format(store=folder / "store") for word in w] for w, _ in chosen.values()]
        sides += [_timed(words, folder) for words in lines]
        taken = in_turn("commands", sides, options.rounds)
        loads = [_loads_tensorflow(words, folder) for words in lines]
    imports = dict(zip((HYDRA, MLFLOW), taken, strict=False))
    rows = [
        Row(name, f'`python -c "{against}"`', ratios(mine, imports[against]), "< 2")
        for (name, (_, against)), mine in zip(chosen.items(), taken[2:], strict=True)
    ]
    medians = [f"{name}: {statistics.median(values):.2f} s" for name, values in imports.items()]
    loading = [name for name, loaded in zip(chosen, loads, strict=True) if loaded]
    told = f"CPU time of whole processes. {'; '.join(medians)}."
    return Found(rows, [f"{told} TensorFlow is imported by: {loading or 'none'}."])


def _timed(words: Sequence[str], folder: Path) -> Callable[[], float]:
    """What takes the CPU seconds of a whole process: these commands wait for nothing."""

    def spent() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        _run([sys.executable, *_placed(words)], folder)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    return spent


def _loads_tensorflow(words: Sequence[str], folder: Path) -> bool:
    """Whether a command imports TensorFlow, as Python's own list of imports has it."""
    done = _run([sys.executable, "-X", "importtime", *_placed(words)], folder)
    return any(line.endswith("| tensorflow") for line in done.stderr.splitlines())


def _run(command: Sequence[str], folder: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    environment.pop(FULL_ERROR, None)  # would ask the commands for tracebacks
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode not in (0, 2) or "Traceback" in done.stderr:
        raise RuntimeError(f"{command}: {done.stderr}")
    return done


def _placed(words: Sequence[str]) -> list[str]:
    return [str(ROOT / word) if word == "train.py" else word for word in words]


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the table."""
    return run(measure, __doc__ or "", 9, arguments)


if __name__ == "__main__":
    raise SystemExit(main())
