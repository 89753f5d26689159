"""A tracked sweep, and many seeds in one graph, against Keras by hand.

    python -m benchmarks.sweep [--rounds 3] [--json FILE]

Digits, MLP 64-64, 20 epochs. Each measurement is a process of its own that imports everything
first and then takes the time, so that no ratio holds an import; the contestants take turns, A B C A
B C. On a machine that others use as well, the ratios of processor time are the steadier ones.
``mlflow.autolog()`` needs tensorboard, which this project does not: without it its row is left
out.
"""

import argparse
import importlib.util
import itertools
import json
import os
import runpy
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

MINUTES = 15
ROOT = Path(__file__).resolve().parents[1]
WORDS = ("data=digits", "model.hidden=[64,64]", "training.epochs=20")
LOSSES, SEEDS = ("ce", "focal"), 10
RUNS = len(LOSSES) * SEEDS
FEW = 4
"""Runs under autologging, which are slow: the time of RUNS is taken from so many."""

Times = dict[str, list[tuple[float, float]]]
"""By contestant, one a round: seconds on the clock, and seconds of processor time."""


def configs(losses: Sequence[str], seeds: int, *words: str) -> list[dict[str, Any]]:
    """Resolved configs, as ``train.py`` composes them."""
    from hydra import compose, initialize_config_dir
    from omegaconf import OmegaConf

    from src.config.register import register

    register()
    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        return [
            OmegaConf.to_container(  # type: ignore[misc]
                compose("config", overrides=[*WORDS, *words, f"loss={loss}", f"seed={seed}"]),
                resolve=True,
            )
            for loss, seed in itertools.product(losses, range(seeds))
        ]


# --- contestants: each runs in a process of its own, and returns seconds ------------------------
def tracked(runs: int) -> tuple[float, float]:
    """The sweep as typed, tracking, plots and models on; the store is there, but empty."""
    from src.tracking import plots  # noqa: F401  which import, too
    from src.tracking.store import Store

    Store.open({"root": "mlruns", "uri": None, "experiment": "imbalance-lab"})

    seeds = f"seed=range(0,{runs // len(LOSSES)})"
    sys.argv = [str(ROOT / "train.py"), "-m", *WORDS, f"loss={','.join(LOSSES)}", seeds]
    started = _now()
    try:
        runpy.run_path(sys.argv[0], run_name="__main__")
    except SystemExit as end:
        if end.code:
            raise
    seconds = _since(started)
    _expect(runs, len(list(Path.cwd().glob("multirun/*/*/*/run.json"))))
    return seconds


def bare(runs: int) -> tuple[float, float]:
    """The same models, data and steps: ``fit`` and nothing else."""
    return _by_hand(runs)


def autologged(runs: int) -> tuple[float, float]:
    """The same under ``mlflow.autolog()``, a run each."""
    import mlflow

    mlflow.set_tracking_uri(f"sqlite:///{Path.cwd()}/mlflow.db")
    mlflow.set_experiment("autologged")  # makes the database
    mlflow.autolog(silent=True)
    return _by_hand(runs, mlflow.start_run)


def shared(runs: int) -> tuple[float, float]:
    """Seeds of one loss, with macro F1 each epoch and the best epoch; no tracking, no files."""
    from src.engine.build import load_dataset
    from src.engine.fit import train

    jobs = configs(("ce",), runs, "training.progress=false")
    datasets = [load_dataset(job["data"]) for job in jobs]
    started = _now()
    for number, (job, dataset) in enumerate(zip(jobs, datasets, strict=True)):
        train(job, dataset, "", coming=jobs[number + 1 :])
    return _since(started)


def _by_hand(runs: int, around: Callable[[], Any] | None = None) -> tuple[float, float]:
    import keras

    from src.components import SparseCategoricalFocalLoss
    from src.engine.build import load_dataset

    jobs = configs(LOSSES, -(-runs // len(LOSSES)))[:runs]
    datasets = [load_dataset(job["data"]) for job in jobs]
    started = _now()
    for job, dataset in zip(jobs, datasets, strict=True):
        keras.utils.set_random_seed(job["seed"])
        layers = [keras.layers.Dense(64, activation="relu") for _ in range(2)]
        model = keras.Sequential(
            [keras.Input(dataset.input_shape), keras.layers.Flatten(), *layers]
        )
        model.add(keras.layers.Dense(dataset.num_classes))
        focal = job["loss"]["name"] == "focal"
        loss = SparseCategoricalFocalLoss(2.0, 0.25) if focal else None
        model.compile("adam", loss or keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        arguments = {"epochs": 20, "batch_size": 64, "verbose": 0}
        if around is None:
            model.fit(dataset.x_train, dataset.y_train, **arguments)
        else:
            with around():
                model.fit(dataset.x_train, dataset.y_train, **arguments)
    return _since(started)


def _now() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def _since(started: tuple[float, float]) -> tuple[float, float]:
    clock, processor = _now()
    return clock - started[0], processor - started[1]


def _expect(runs: int, found: int) -> None:
    if found != runs:
        raise RuntimeError(f"{found} runs came out of {runs}")


CONTESTANTS = {function.__name__: function for function in (tracked, bare, autologged, shared)}


# --- rounds -------------------------------------------------------------------------------------
def measure(name: str, runs: int) -> tuple[float, float]:
    """Seconds of a contestant, in a fresh process and an empty folder."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "benchmarks.sweep", "--child", name, "--runs", str(runs)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
        environment.pop("MLFLOW_TRACKING_URI", None)
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
    if done.returncode:
        raise RuntimeError(f"{name}: {done.stderr[-2000:]}")
    clock, processor = done.stdout.splitlines()[-1].split()
    return float(clock), float(processor)


def child(name: str, runs: int) -> None:
    """What :func:`measure` starts."""
    from src.runs.import_tensorflow import import_tensorflow

    import_tensorflow()
    import mlflow  # noqa: F401

    import src.engine.fit  # noqa: F401

    print(*CONTESTANTS[name](runs))


def take_turns(rounds: int) -> Times:
    """Seconds of every contestant, by name and number of runs."""
    turns = [("tracked", RUNS), ("bare", RUNS), ("shared", 1), ("shared", 10), ("shared", 50)]
    if importlib.util.find_spec("tensorboard"):
        turns.append(("autologged", FEW))
    times: Times = {f"{name} {runs}": [] for name, runs in turns}
    for number in range(rounds):
        for name, runs in turns:
            taken = measure(name, runs)
            times[f"{name} {runs}"].append(taken)
            said = f"{taken[0]:.1f} s, {taken[1]:.1f} s of processor time"
            print(f"round {number + 1}: {name}, {runs} runs: {said}", file=sys.stderr)
    return times


def rows(times: Times) -> list[dict[str, Any]]:
    """One a comparison and clock, its ratio taken round by round."""
    sweep = f"tracked sweep of {RUNS} runs, everything on"
    first = "training one, the first of its process"
    tracked_, bare_ = f"tracked {RUNS}", f"bare {RUNS}"
    compared = [  # what, against, contestants, what the second counts for, to reach
        (sweep, "the same models in bare Keras", tracked_, bare_, 1.0, "<= 0.55"),
        (sweep, "`mlflow.autolog()`", tracked_, f"autologged {FEW}", RUNS / FEW, "<= 0.15"),
        ("ten seeds, one by one", "ten bare Keras runs", "shared 10", bare_, 10 / RUNS, ""),
        ("ten seeds, one by one", first, "shared 10", "shared 1", 1.0, ""),
        ("fifty seeds, one by one", first, "shared 50", "shared 1", 1.0, ""),
    ]
    return [
        {
            "what": what + clock,
            "against": against,
            "to_reach": to_reach,
            "ratios": [
                a[index] / (b[index] * share)
                for a, b in zip(times[over], times[under], strict=True)
            ],
        }
        for index, clock in enumerate(("", ", processor time"))
        for what, against, over, under, share, to_reach in compared
        if under in times
    ]


def table(found: Sequence[dict[str, Any]]) -> str:
    """Markdown: what, against, ratio, to reach."""
    lines = ["| what | against | ratio median [min, max] | to reach |", "| --- | --- | --- | --- |"]
    for row in found:
        ratios = row["ratios"]
        shown = f"{statistics.median(ratios):.2f} [{min(ratios):.2f}, {max(ratios):.2f}]"
        lines.append(f"| {row['what']} | {row['against']} | {shown} | {row['to_reach']} |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures and prints the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sweep", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, help="write seconds and ratios there too")
    parser.add_argument("--child", choices=CONTESTANTS, help=argparse.SUPPRESS)
    parser.add_argument("--runs", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.child:
        child(given.child, given.runs)
        return 0
    times = take_turns(given.rounds)
    found = rows(times)
    print(table(found))
    if given.json:
        given.json.write_text(json.dumps({"seconds": times, "rows": found}, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
