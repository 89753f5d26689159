"""What determinism, threads and steps per execution cost, in milliseconds an epoch.

    python -m tests.reliability.speed --rounds 3

An epoch is training and validation; the first, in which TensorFlow traces, does not count.

Each variant is trained in turn, A B C A B C, in a process of its own, since threads and determinism
stay with a process; what is printed are medians and their ratio to the default.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
from itertools import pairwise
from pathlib import Path

from src.runs.record import read_history
from tests.reliability.children import ROOT

WORDS = (
    "tracking=none",
    "tracking.plots=false",
    "training.progress=false",
    "training.epochs=20",
    "seed=0",
)
TASKS = {"mlp, simulated": (), "cnn, digits": ("model=cnn", "data=digits")}
VARIANTS = {
    "default": (),
    "deterministic=false": ("training.deterministic=false",),
    "threads=2": ("training.threads=2",),
    "deterministic=false threads=2": ("training.deterministic=false", "training.threads=2"),
    "steps_per_execution=8": ("training.steps_per_execution=8",),
}


def milliseconds(folder, words):
    folder.mkdir(parents=True)
    subprocess.run(
        [sys.executable, ROOT / "train.py", *WORDS, *words, "hydra.run.dir=."],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    ends = [row["time_ms"] for row in read_history(folder / "history.csv")]
    return statistics.median(later - end for end, later in pairwise(ends))


def main():
    parser = argparse.ArgumentParser(description="Time variants of a training in turn.")
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as place:
        for task, of_task in TASKS.items():
            taken = {variant: [] for variant in VARIANTS}
            for number in range(rounds):
                for variant, words in VARIANTS.items():
                    folder = Path(place) / task / str(number) / variant
                    taken[variant].append(milliseconds(folder, (*of_task, *words)))
            default = statistics.median(taken["default"])
            for variant, times in taken.items():
                median = statistics.median(times)
                spread = f"{min(times):.0f} to {max(times):.0f}"
                print(f"{task}: {variant}: {median:.0f} ms ({spread}), {median / default:.2f}")


if __name__ == "__main__":
    main()
