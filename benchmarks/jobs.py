"""Jobs of ``train.py`` run in this process, and where their time goes."""

from __future__ import annotations

import functools
import importlib
import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from src.entry import QUIET

ROOT = Path(__file__).resolve().parents[1]
OPENING, EPOCHS, RESULTS = "tracking: opening", "tracking: epochs", "tracking: results and model"
MODEL, FILES = "model file", "other files"
PHASES = {
    "src.job:cached_dataset": "data",
    "src.job:describe_run": "identity",
    "src.job:open_tracker": OPENING,
    "src.tracking.tracker:MLflowTracker.find": OPENING,
    "src.tracking.run_log:create_run": OPENING,
    "src.tracking.tracker:MLflowTracker.send": EPOCHS,
    "src.tracking.tracker:MLflowTracker.finish": RESULTS,
    "src.engine.trainer:shared_graph": "tracing",
    "src.engine.trainer:model_for": "building the model",
    "src.engine.shared_graph:TrainingGraph.fit": "steps and validation",
    "src.engine.shared_graph:TrainingGraph.predict": "prediction",
    "src.tracking.upload:remember_run": OPENING,
    "keras:Model.save": MODEL,
    "src.runs.outputs:write_results": FILES,
    "src.runs.outputs:write_model": FILES,
    "src.runs.record:RunRecord.save": FILES,
    "src.engine.checkpoint:Checkpoint.on_epoch_end": "checkpoints",
    "src.evaluation.scores:score": "scores",
    "src.evaluation.scores:score_tuned": "scores",
    "src.evaluation.validation:score_validation": "scores",
    "src.tracking.plots:plot_confusion": "plots",
    "src.tracking.plots:plot_curves": "plots",
}
"""Functions by module and name, and the phase of a run that their time belongs to."""


def start() -> None:
    """Gets this process ready: settings of every command, configs registered, TensorFlow."""
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    from src.config.register import register
    from src.runs.import_tensorflow import import_tensorflow

    register()
    import_tensorflow()


def run_job(folder: Path, *words: str) -> float:
    """Runs one job and returns its seconds.

    Args:
        folder: for its output; made.
        *words: overrides, as typed behind ``python train.py``.
    """
    from hydra import compose, initialize_config_dir
    from hydra.core.hydra_config import HydraConfig
    from omegaconf import open_dict, read_write

    from src import job

    folder.mkdir(parents=True)
    place = (f"hydra.runtime.output_dir={folder}", "training.progress=false")
    with initialize_config_dir(version_base="1.3", config_dir=str(ROOT / "conf")):
        config = compose("config", [*words, *place], return_hydra_config=True)
    HydraConfig.instance().set_config(config)
    with read_write(config), open_dict(config):
        del config["hydra"]
    began = time.perf_counter()
    job.run_job(config)
    return time.perf_counter() - began


@contextmanager
def phases(clock: Callable[[], float] = time.perf_counter) -> Iterator[dict[str, float]]:
    """Adds up the seconds of each phase while it lasts; a phase within another counts once.

    Args:
        clock: gives the seconds.
    """
    taken: dict[str, float] = defaultdict(float)
    inside = [0.0]

    def timed(function: Callable[..., Any], phase: str) -> Callable[..., Any]:
        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            inside.append(0.0)
            began = clock()
            try:
                return function(*args, **kwargs)
            finally:
                spent = clock() - began
                taken[phase] += spent - inside.pop()
                inside[-1] += spent

        return wrapper

    undo = []
    for place, phase in PHASES.items():
        module, _, path = place.partition(":")
        *owners, name = path.split(".")
        owner = functools.reduce(getattr, owners, importlib.import_module(module))
        own = name in vars(owner)
        function = getattr(owner, name)
        setattr(owner, name, timed(function, phase))
        undo.append((owner, name, function, own))
    try:
        yield taken
    finally:
        for owner, name, function, own in undo:
            if own:
                setattr(owner, name, function)
            else:
                delattr(owner, name)
