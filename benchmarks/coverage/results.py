"""Runs the trainings on all cores, and keeps what each gave: an interrupted measurement goes on."""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from rich.progress import track

from benchmarks.coverage.trainings import SEEDS, Scores, identity, on_a_table, on_fresh_data
from src.runs.identity import PROJECT

FOLDER = PROJECT / "outputs" / "coverage"
FRESH, TABLE = "fresh", "table"


def measured(tables: int, seeds: int, workers: int) -> tuple[Scores, Scores]:
    """The scores, trained where they are not there yet.

    Args:
        tables: how many to re-split.
        seeds: of fresh data, a multiple of ``SEEDS``.
        workers: processes.

    Returns:
        Of fresh data, shape (seeds, losses, rates, scores); of tables, shape (tables, SEEDS,
        losses, rates, scores).
    """
    folder = FOLDER / identity()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    blocks = [f"{FRESH}-{number:04}.npy" for number in range(seeds // SEEDS)]
    splits = [f"{TABLE}-{number:04}.npy" for number in range(tables)]
    missing = [name for name in (*blocks, *splits) if not (folder / name).exists()]
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        done = pool.map(partial(_train, folder), missing)
        for _ in track(done, "trainings", total=len(missing)):
            pass
    fresh, of_tables = ([np.load(folder / name) for name in of] for of in (blocks, splits))
    return np.concatenate(fresh), np.stack(of_tables)


def _train(folder: Path, name: str) -> None:
    """Trains what belongs into a file, and writes it when all of it is there."""
    from src.runs.import_tensorflow import import_tensorflow

    import_tensorflow()
    kind, number = name.removesuffix(".npy").split("-")
    scores = (on_a_table if kind == TABLE else on_fresh_data)(int(number))
    draft = folder / f".{name}.{os.getpid()}"
    with draft.open("wb") as stream:
        np.save(stream, scores)
    draft.replace(folder / name)
