"""What determinism, threads and steps per execution cost, in seconds of `fit`.

    python -m tests.reliability.speed --rounds 5

Each variant is trained in turn, A B C A B C, in a process of its own, since threads and determinism
stay with a process; what is printed are medians and their ratio to the default.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.reliability.children import ROOT

WORDS = (
    "tracking=none",
    "tracking.plots=false",
    "training.progress=false",
    "training.epochs=10",
    "seed=0",
)
TASKS = {"mlp, simulated": (), "cnn, digits": ("model=cnn", "data=digits")}
VARIANTS = {
    "default": (),
    "deterministic=false": ("training.deterministic=false",),
    "threads=2": ("training.threads=2",),
    "deterministic=false threads=2": ("training.deterministic=false", "training.threads=2"),
    "steps_per_execution=8": ("training.steps_per_execution=8",),
    "steps_per_execution=32": ("training.steps_per_execution=32",),
}


def seconds(folder, words):
    folder.mkdir(parents=True)
    subprocess.run(
        [sys.executable, ROOT / "train.py", *WORDS, *words, "hydra.run.dir=."],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    return json.loads((folder / "run.json").read_text())["metrics"]["seconds_fit"]


def main():
    parser = argparse.ArgumentParser(description="Time variants of a training in turn.")
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as place:
        for task, of_task in TASKS.items():
            taken = {variant: [] for variant in VARIANTS}
            for number in range(rounds):
                for variant, words in VARIANTS.items():
                    folder = Path(place) / task / str(number) / variant
                    taken[variant].append(seconds(folder, (*of_task, *words)))
            default = statistics.median(taken["default"])
            for variant, times in taken.items():
                median = statistics.median(times)
                spread = f"{min(times):.1f} to {max(times):.1f}"
                print(f"{task}: {variant}: {median:.2f} s ({spread}), {median / default:.2f}")


if __name__ == "__main__":
    main()
