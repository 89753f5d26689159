"""The measurement as Markdown."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmarks.coverage.rows import NUMBERS, Row
from src.analysis.report.sections import markdown_table

DATA = {False: "fresh data", True: "one table"}
WANTED = (0.93, 0.97)
GAINS = (1, 2, 4)
"""True gains, pp, for which the power is told."""


def summary(rows: Sequence[Row]) -> str:
    """One line for each kind of data, number of seeds and interval, over all situations."""
    head = ["data", "seeds", "interval", "holds the truth: mean [least, most]"]
    head += ["half its width, pp", "A/A called better: mean [most]"]
    lines = [[*head, *(f"power at +{gain} pp" for gain in GAINS)]]
    for table, data in DATA.items():
        for seeds in NUMBERS:
            mine = [row for row in rows if (row.table, row.seeds) == (table, seeds)]
            for name in mine[0].held:
                held = [row.held[name] for row in mine]
                cover = [one.coverage for one in held]
                false = [row.held[name].better() for row in mine if row.comparison == "A/A"]
                power = [np.mean([one.better(gain) for one in held]) for gain in GAINS]
                extremes = f"[{_percent(min(cover))}, {_percent(max(cover))}]"
                lines.append(
                    [
                        data,
                        str(seeds),
                        name,
                        f"{_percent(np.mean(cover))} {extremes}",
                        f"{np.mean([one.half_width for one in held]):.1f}",
                        f"{_percent(np.mean(false))} [{_percent(max(false))}]",
                        *map(_percent, power),
                    ]
                )
    return markdown_table(lines)


def verdict(rows: Sequence[Row], name: str) -> str:
    """Number of situations within the wanted range, and those that miss it by more than chance."""
    beyond = [row for row in rows if not _within(row, name, 0)]
    sure = [row for row in beyond if not _within(row, name, 2)]
    share = f"{len(rows) - len(beyond)} of {len(rows)} situations"
    sentence = f"Of {name}, {share} are within 93 to 97 %"
    if not beyond:
        return f"{sentence}."
    more = f"{len(sure)} of the others by more than two standard errors of the measurement"
    named = [
        f"{_situation(row)}, {row.seeds} seeds ({_percent(row.held[name].coverage)})"
        for row in sure
    ]
    return f"{sentence}; outside are {more}" + (f": {'; '.join(named)}." if named else ".")


def details(rows: Sequence[Row]) -> str:
    """Each situation: the truth, and coverage with half the width of each interval."""
    lines = [
        [_situation(row), str(row.seeds), f"{row.truth:+.1f}", *map(str, row.held.values())]
        for row in rows
    ]
    return markdown_table([["situation", "seeds", "truth, pp", *rows[0].held], *lines])


def _situation(row: Row) -> str:
    rate = "each at its best rate" if row.setting == "best" else f"rate {row.setting}"
    return f"{DATA[row.table]}, {row.comparison}, {row.decision}, {rate}"


def _within(row: Row, name: str, errors: float) -> bool:
    """Whether the coverage is as wanted, but for so many standard errors of its measurement."""
    coverage = row.held[name].coverage
    share = min(max(coverage, 0.01), 0.99)
    slack = errors * np.sqrt(share * (1 - share) / row.independent)
    return bool(WANTED[0] - slack <= coverage <= WANTED[1] + slack)


def _percent(share: float | np.floating) -> str:
    return f"{100 * share:.1f} %"
