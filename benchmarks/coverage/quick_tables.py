"""Tables whose truth is known, for every kind of split, and two classifiers that train in a moment.

A classifier is one hidden layer, drawn by the training seed, with an output layer fitted by least
squares: to all rows alike, or to classes that weigh the same. They stand in for two losses: splits
and training seeds move their difference as they move that of two losses, in microseconds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from src.data.splitting.plan import RowMarks, Splitting
from src.data.splitting.rows import LabelledRows

Random = np.random.Generator
Floats = NDArray[np.float64]
ROWS, COLUMNS, MINORITY = 400, 3, 0.2
GROUPS, PERIODS = 40, 12
HIDDEN, RIDGE = 12, 0.1
SEEDS_PER_SPLIT = 2


@dataclass(frozen=True)
class World:
    """Where tables of one kind come from.

    Attributes:
        draw: features, labels (boolean) and marks of a table, by a population, whose truth the
            interval is to hold, and by a draw from it.
        how: the split.
        estimand: what the seeds of a table differ in.
        seeds: of a comparison.
        populations: how many; one where the truth is that of all tables.
    """

    draw: Callable[[Random, Random], tuple[Floats, NDArray[np.bool_], RowMarks]]
    how: Splitting
    estimand: str
    seeds: tuple[int, ...]
    populations: int = 1


def of_rows(_: Random, rng: Random) -> tuple[Floats, NDArray[np.bool_], RowMarks]:
    """Rows that have nothing to do with each other; the minority lies to two sides."""
    y = rng.random(ROWS) < MINORITY
    return _features(y, np.zeros((ROWS, COLUMNS)), rng), y, RowMarks()


def of_groups(_: Random, rng: Random) -> tuple[Floats, NDArray[np.bool_], RowMarks]:
    """Groups of uneven size, each with a centre of its own, mostly of one class."""
    sizes = 1 + rng.multinomial(ROWS - GROUPS, rng.dirichlet(np.ones(GROUPS)))
    group = np.repeat(np.arange(GROUPS), sizes)
    often = np.where(rng.permutation(GROUPS) < MINORITY * GROUPS, 0.8, 0.05)
    y = rng.random(ROWS) < often[group]
    centres = rng.normal(0, 0.8, (GROUPS, COLUMNS))
    return _features(y, centres[group], rng), y, RowMarks(group=group)


def of_a_history(population: Random, rng: Random) -> tuple[Floats, NDArray[np.bool_], RowMarks]:
    """Periods that follow each other: both classes move from one to the next, and by drift."""
    shocks = population.normal(0, 0.3, (PERIODS, 2, COLUMNS))
    drift = population.normal(0, 0.3, (PERIODS, 2, COLUMNS)).cumsum(axis=0)
    fives = np.tile(np.arange(5) < 5 * MINORITY, (ROWS // 5, 1))  # each split has both classes
    y, period = rng.permuted(fives, axis=1).ravel(), np.arange(ROWS) * PERIODS // ROWS
    centres = (shocks + drift)[period, y.astype(int)]
    return _features(y, centres, rng), y, RowMarks(time=np.arange(ROWS))


def as_given(population: Random, _: Random) -> tuple[Floats, NDArray[np.bool_], RowMarks]:
    """One table with its test rows: all that is drawn anew are trainings and validation splits."""
    x, y, _marks = of_rows(population, population)
    return x, y, RowMarks(part=np.where(np.arange(ROWS) < 0.75 * ROWS, 0, 2))


def _features(y: NDArray[np.bool_], centres: Floats, rng: Random) -> Floats:
    x: Floats = rng.normal(0, 1, (len(y), COLUMNS)) + centres
    x[:, 0] += np.where(y, np.where(rng.random(len(y)) < 0.5, 1.5, -1.5), 0)
    return x


WORLDS = {
    "random": World(of_rows, Splitting(), "table", (4, 10, 20)),
    "kfold": World(of_rows, Splitting(split="kfold"), "table", (10, 20)),
    "group": World(of_groups, Splitting(group="group"), "table", (4, 10, 20)),
    "time": World(of_a_history, Splitting(time="time"), "periods", (4, 8, 16), populations=40),
    "given": World(as_given, Splitting(split="given"), "trainings", (4, 10, 20), populations=40),
}


def differences(world: World, tables: int, seeds: int) -> tuple[Floats, float]:
    """Differences of the two classifiers over trainings on tables.

    Args:
        world: where the tables come from.
        tables: how many of each population.
        seeds: of each, two a split.

    Returns:
        Differences in macro F1, percentage points, shape (populations, tables, seeds); and the rows
        of a test split over those of training and validation, the mean.
    """
    found, shares = np.empty((world.populations, tables, seeds)), []
    for population, table in np.ndindex(found.shape[:2]):
        x, y, marks = world.draw(
            np.random.default_rng(population), np.random.default_rng([population, table])
        )
        rows = LabelledRows(y.astype(np.int64), ("many", "few"), "simulated", marks)
        first = table * seeds // SEEDS_PER_SPLIT if world.estimand == "trainings" else 0
        for split in range(-(-seeds // SEEDS_PER_SPLIT)):
            train, val, test = rows.split(first + split, world.how)
            shares.append(len(test) / (len(train) + len(val)))
            for seed in range(SEEDS_PER_SPLIT * split, min(SEEDS_PER_SPLIT * (split + 1), seeds)):
                rng = np.random.default_rng([population, table, seed])
                found[population, table, seed] = _difference(x, y, train, test, rng)
    return found, float(np.mean(shares))


def _difference(
    x: Floats,
    y: NDArray[np.bool_],
    train: NDArray[np.int64],
    test: NDArray[np.int64],
    rng: Random,
) -> float:
    """Macro F1 with classes that weigh the same, less that with rows that do."""
    layer = np.tanh(x @ rng.normal(0, 1, (COLUMNS, HIDDEN)) + rng.normal(0, 1, HIDDEN))
    layer = np.column_stack([layer, np.ones(len(x))])
    inner, wanted = layer[train], np.where(y[train], 1.0, -1.0)
    share = y[train].mean()
    scores = []
    for weights in (np.where(y[train], 0.5 / share, 0.5 / (1 - share)), np.ones(len(train))):
        weighted = inner * weights[:, None]
        fitted = np.linalg.solve(
            weighted.T @ inner + RIDGE * np.eye(HIDDEN + 1), weighted.T @ wanted
        )
        scores.append(macro_f1(y[test], layer[test] @ fitted > 0))
    return 100 * (scores[0] - scores[1])


def macro_f1(y: NDArray[np.bool_], decided: NDArray[np.bool_]) -> float:
    """Macro F1 of two classes, a hundred times as fast as scikit-learn's."""
    both, either = np.count_nonzero(y & decided), np.count_nonzero(y | decided)
    neither, rows = np.count_nonzero(~y & ~decided), len(y)
    few = 2 * both / (both + either) if either else 0.0
    many = 2 * neither / (neither + rows - both) if rows > both else 0.0
    return (few + many) / 2
