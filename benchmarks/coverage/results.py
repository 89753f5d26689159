"""Runs the trainings on all cores, and keeps what each gave: an interrupted measurement goes on."""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from rich.progress import track

from benchmarks.coverage.trainings import (
    SEEDS,
    SEEDS_A_PART,
    Scores,
    identity,
    on_a_table,
    on_fresh_data,
)
from src.runs.identity import PROJECT

FOLDER = PROJECT / "outputs" / "coverage"
SEEDS_A_FILE = 20
FRESH, TABLE = "fresh-{:04}.npy", "table-{:04}-{}.npy"


def measured(tables: int, long_tables: int, seeds: int, workers: int) -> tuple[Scores, Scores]:
    """The scores, trained where they are not there yet.

    Args:
        tables: how many to re-split.
        long_tables: of them with all ``SEEDS``, the others with half of them.
        seeds: of fresh data, a multiple of ``SEEDS_A_FILE``.
        workers: processes.

    Returns:
        Of fresh data, shape (seeds, losses, rates, scores); of tables, shape (tables, SEEDS,
        losses, rates, scores), NaN for the seeds that a table does not have.
    """
    folder = FOLDER / identity()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    blocks = [FRESH.format(number) for number in range(seeds // SEEDS_A_FILE)]
    halves = [TABLE.format(number, 0) for number in range(tables)]
    rest = [TABLE.format(number, 1) for number in range(long_tables)]
    missing = [name for name in (*blocks, *halves, *rest) if not (folder / name).exists()]
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        done = pool.map(partial(_train, folder), missing)
        for _ in track(done, "trainings", total=len(missing)):
            pass
    fresh = np.concatenate([np.load(folder / name) for name in blocks])
    of_tables = np.full((tables, SEEDS, *fresh.shape[1:]), np.nan)
    for place, first in ((halves, 0), (rest, SEEDS_A_PART)):
        for number, name in enumerate(place):
            of_tables[number, first : first + SEEDS_A_PART] = np.load(folder / name)
    return fresh, of_tables


def _train(folder: Path, name: str) -> None:
    """Trains what belongs into a file, and writes it when all of it is there."""
    from src.runs.import_tensorflow import import_tensorflow

    import_tensorflow()
    kind, number, *part = name.removesuffix(".npy").split("-")
    if kind == "table":
        scores = on_a_table(int(number), int(part[0]))
    else:
        first = SEEDS_A_FILE * int(number)
        scores = np.concatenate([on_fresh_data(first + i) for i in range(SEEDS_A_FILE)])
    draft = folder / f".{name}.{os.getpid()}"
    with draft.open("wb") as stream:
        np.save(stream, scores)
    draft.replace(folder / name)
