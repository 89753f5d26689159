"""Commands that train nothing, against the import of the library that they cannot do without."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from benchmarks.timing.made_runs import make_store
from benchmarks.timing.measure import Found, Row, in_turn
from benchmarks.timing.process import Taken, run_process
from benchmarks.timing.typed import ROOT

MINUTES = 0.7
ROUNDS = 4
ALLOWANCE = 0.2
"""Seconds on top of twice ``import hydra``: one composition and the checks."""
COMMANDS = {
    "`--help`": ("train.py", "--help"),
    "`--cfg job`": ("train.py", "--cfg", "job"),
    "a misspelt choice": ("train.py", "loss=focl"),
    "a value out of range": ("train.py", "loss.gamma=-1"),
    "a sweep with a wrong job": ("train.py", "-m", "loss=focal", "loss.gamma=0,-1"),
    "`src.compare --help`": ("-m", "src.compare", "--help"),
}
COMPARE = ("-m", "src.compare", "--root", "store")
SEARCH = """
from mlflow.tracking import MlflowClient
client = MlflowClient("sqlite:///store/mlflow.db")
client.search_runs([one.experiment_id for one in client.search_experiments()])
"""


def measure(options: argparse.Namespace) -> Found:
    """Times every command, `import hydra` and a search by MLflow's client as whole processes."""
    commands = dict(list(COMMANDS.items())[2:3]) if options.tiny else COMMANDS
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_store(folder / "store", *((4, 2) if options.tiny else (20, 10)))
        words = [("-c", "import hydra"), ("-c", SEARCH), COMPARE, *commands.values()]
        sides = [partial(_processor_time, one, folder) for one in words]
        hydra, search, compare, *others = in_turn("commands", sides, options)
        loading = [" ".join(one) for one in words[2:] if _loads_tensorflow(one, folder)]
    limit = tuple(2 * seconds + ALLOWANCE for seconds in hydra)
    against = f"2 x `import hydra` + {ALLOWANCE} s"
    rows = [
        Row(name, against, mine, limit, "<= 1") for name, mine in zip(commands, others, strict=True)
    ]
    rows.append(
        Row("`src.compare` of 20 runs", "their search by MLflow's client", compare, search, "<= 2")
    )
    return Found(
        rows,
        [f"Processor time of whole processes. TensorFlow is imported by: {loading or 'none'}."],
    )


def _processor_time(words: Sequence[str], folder: Path) -> float:
    """Seconds of processor time of a whole process: these commands wait for nothing."""
    return _run(words, folder).processor


def _loads_tensorflow(words: Sequence[str], folder: Path) -> bool:
    """Whether a command imports TensorFlow, as Python's own list of imports has it."""
    told = _run(("-X", "importtime", *words), folder).told
    return any(line.endswith("| tensorflow") for line in told.splitlines())


def _run(words: Sequence[str], folder: Path) -> Taken:
    placed = [str(ROOT / word) if word == "train.py" else word for word in words]
    return run_process([sys.executable, *placed], folder, statuses=(0, 2))
