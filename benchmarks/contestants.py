"""The contestants of ``benchmarks.sweep``: each trains the same models in a process of its own.

Digits, MLP 64-64, 20 epochs, cross-entropy and focal loss with the same seeds.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from benchmarks.timing import typed
from benchmarks.timing.where import by_module

WORDS = ("data=digits", "model.hidden=[64,64]", "training.epochs=20")
LOSSES = ("ce", "focal")

Work = Callable[[], None]


def words_of(runs: int) -> tuple[str, ...]:
    """The sweep as typed."""
    return (
        "-m",
        "compare=false",
        f"loss={','.join(LOSSES)}",
        f"seed=range(0,{runs // len(LOSSES)})",
        *WORDS,
    )


def tracked(runs: int) -> Work:
    """One run after another, with tracking, pictures and models; the store is there, but empty."""
    import mlflow  # noqa: F401  this and the next two before the clock starts

    import src.engine.fit  # noqa: F401
    from src.tracking import plots  # noqa: F401
    from src.tracking.store import Store

    Store.open({"root": "mlruns", "uri": None, "experiment": "imbalance-lab"})

    def work() -> None:
        typed.train(*words_of(runs), "hydra/launcher=serial")
        found = len(list(Path.cwd().glob("multirun/*/*/*/run.json")))
        if found != runs:
            raise RuntimeError(f"{found} runs came out of {runs}")

    return work


def bare(runs: int) -> Work:
    """The same models, data and steps: ``fit`` and nothing else."""
    return _by_hand(runs, nullcontext)


def autologged(runs: int) -> Work:
    """The same under ``mlflow.autolog()``, a run each."""
    import mlflow

    mlflow.set_tracking_uri(f"sqlite:///{Path.cwd()}/mlflow.db")
    mlflow.set_experiment("autologged")  # makes the database
    mlflow.autolog(silent=True)
    return _by_hand(runs, mlflow.start_run)


CONTESTANTS = {one.__name__: one for one in (tracked, bare, autologged)}


def _by_hand(runs: int, around: Callable[[], Any]) -> Work:
    import src.components  # noqa: F401  Keras with it, before the clock starts

    seeds = range(runs // len(LOSSES))
    datasets = [_dataset(seed) for seed in seeds]

    def work() -> None:
        for loss in LOSSES:
            for seed in seeds:
                with around():
                    _fit(loss, seed, datasets[seed])

    return work


def _dataset(seed: int) -> Any:
    from hydra import compose, initialize_config_dir
    from omegaconf import OmegaConf

    from src.config.register import register
    from src.engine.build import load_dataset

    register()
    with initialize_config_dir(str(typed.ROOT / "conf"), version_base="1.3"):
        composed = compose("config", [*WORDS, f"seed={seed}"])
    config: Any = OmegaConf.to_container(composed, resolve=True)
    return load_dataset(config["data"])


def _fit(loss: str, seed: int, dataset: Any) -> None:
    import keras

    from src.components import SparseCategoricalFocalLoss

    keras.utils.set_random_seed(seed)
    model = keras.Sequential([keras.Input(dataset.input_shape), keras.layers.Flatten()])
    for _ in range(2):
        model.add(keras.layers.Dense(64, activation="relu"))
    model.add(keras.layers.Dense(dataset.num_classes))
    focal = SparseCategoricalFocalLoss(gamma=2.0, alpha=0.25)
    stock = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", focal if loss == "focal" else stock)
    model.fit(dataset.x_train, dataset.y_train, epochs=20, batch_size=64, verbose=0)


def main() -> None:
    """``contestants NAME RUNS`` prints, as JSON, seconds on the clock, of processor, by module."""
    name, runs = sys.argv[1:]
    typed.start()
    work = CONTESTANTS[name](int(runs))
    clock, processor = time.perf_counter(), time.process_time()
    modules = by_module(work)
    taken = (time.perf_counter() - clock, time.process_time() - processor)
    print(json.dumps([*taken, modules]))


if __name__ == "__main__":
    main()
