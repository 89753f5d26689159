"""How often the interval of each kind of split holds the truth; writes ``docs/coverage.md``.

    python -m benchmarks.coverage.by_split [--tables N]

Tables and classifiers are those of :mod:`benchmarks.coverage.quick_tables`; some minutes, one core.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import numpy as np
from rich.progress import track

from benchmarks.coverage.intervals import Held, nadeau_bengio, student
from benchmarks.coverage.quick_tables import SEEDS_PER_SPLIT, WORLDS, World, differences
from benchmarks.timing.page import replaced
from src.analysis.report.sections import markdown_table
from src.analysis.statistics.design import Design
from src.analysis.statistics.estimate import estimate
from src.entry import guarded
from src.errors import UserError
from src.runs.identity import PROJECT

PAGE = PROJECT / "docs" / "coverage.md"
LEAST_TABLES = 20


def design_of(world: World, share: float) -> Design:
    """The design that ``src.compare`` takes for runs of a world."""
    kind = world.how.kind
    return Design(
        estimand=world.estimand,
        split=kind,
        test_share=share if world.estimand == "table" else 0.0,
        parts={"kfold": world.how.folds, "time": world.how.origins}.get(kind, 0),
        seeds_per_split=SEEDS_PER_SPLIT,
    )


def measured(world: World, tables: int) -> dict[int, dict[str, Held]]:
    """How each interval does, by number of seeds and name of the interval.

    Args:
        world: where tables come from.
        tables: how many, of all populations together.
    """
    of_each = max(2, tables // world.populations)
    values, share = differences(world, of_each, max(world.seeds))
    design = design_of(world, share)
    truth = np.repeat(values.mean(axis=(1, 2)), of_each)
    found = {}
    for seeds in world.seeds:
        splits = [str(seed // SEEDS_PER_SPLIT % design.most_splits) for seed in range(seeds)]
        ends: dict[str, list[tuple[float, float]]] = {}
        for row in values[..., :seeds].reshape(-1, seeds).tolist():
            ours = estimate(row, splits, design)
            for name, one in (
                ("this project", (ours.low, ours.high)),
                ("Student's t", student(row, splits, table=True)),
                ("Nadeau-Bengio", nadeau_bengio(row, splits, table=world.estimand == "table")),
            ):
                ends.setdefault(name, []).append(one)
        found[seeds] = {name: Held(np.array(of_all), truth) for name, of_all in ends.items()}
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures all kinds of splits, and renews their table on the page."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.coverage.by_split",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--tables", type=int, default=1000, help="of each kind (1000)")
    options = parser.parse_args(arguments)
    if options.tables < LEAST_TABLES:
        raise UserError(f"--tables {options.tables}: must be {LEAST_TABLES} or more")
    rows = []
    for split, world in track(WORLDS.items(), "splits"):
        for seeds, held in measured(world, options.tables).items():
            rows.append([split, str(seeds), *map(str, held.values())])
    table = markdown_table([["data.split", "seeds", *held], *rows])
    content = f"{table}\n\n{options.tables} tables of each kind."
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(replaced(page, "by_split", content), encoding="utf-8")
    print(content)
    return 0


if __name__ == "__main__":
    raise SystemExit(guarded(main))
