"""Runs the trainings on all cores, and keeps what each gave: an interrupted measurement goes on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from rich.progress import track

from benchmarks.coverage.trainings import Scores, identity, on_a_table, on_fresh_data
from src.runs.identity import PROJECT

FOLDER = PROJECT / "outputs" / "coverage"
SEEDS_A_FILE = 20


@dataclass(frozen=True)
class Part:
    """Trainings whose scores go into one file.

    Attributes:
        name: of the file.
        numbers: of tables, or seeds of fresh data.
        table: which of the two.
    """

    name: str
    numbers: tuple[int, ...]
    table: bool

    def run(self, folder: Path) -> None:
        """Trains, and writes the file when all of it is there."""
        work = on_a_table if self.table else on_fresh_data
        scores = np.concatenate([work(number) for number in self.numbers])
        draft = folder / f".{self.name}.{os.getpid()}"
        with draft.open("wb") as stream:
            np.save(stream, scores)
        draft.replace(folder / self.name)


def measured(tables: int, seeds: int, workers: int) -> tuple[Scores, Scores]:
    """The scores, trained where they are not there yet.

    Args:
        tables: how many to re-split.
        seeds: of fresh data.
        workers: processes.

    Returns:
        Of fresh data, shape (seeds, losses, rates, scores); of tables, shape (tables, seeds on a
        table, losses, rates, scores).
    """
    folder = FOLDER / identity()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    fresh, of_tables = list(_fresh(seeds)), list(_tables(tables))
    parts = [part for part in _in_turn(fresh, of_tables) if not (folder / part.name).exists()]
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        done = pool.map(_run, parts, [folder] * len(parts))
        for _ in track(done, "trainings", total=len(parts)):
            pass
    found = [[np.load(folder / part.name) for part in group] for group in (fresh, of_tables)]
    return np.concatenate(found[0])[:seeds], np.stack(found[1])


def _run(part: Part, folder: Path) -> None:
    from src.runs.import_tensorflow import import_tensorflow

    import_tensorflow()
    part.run(folder)


def _fresh(seeds: int) -> Iterator[Part]:
    for number, first in enumerate(range(0, seeds, SEEDS_A_FILE)):
        group = tuple(range(first, first + SEEDS_A_FILE))
        yield Part(f"fresh-{number:04}.npy", group, table=False)


def _tables(tables: int) -> Iterator[Part]:
    for number in range(tables):
        yield Part(f"table-{number:04}.npy", (number,), table=True)


def _in_turn(fresh: list[Part], tables: list[Part]) -> list[Part]:
    """Both kinds mixed, so that the time left is told rightly from the start."""
    places = [(i / len(group), part) for group in (fresh, tables) for i, part in enumerate(group)]
    return [part for _, part in sorted(places, key=lambda place: place[0])]
