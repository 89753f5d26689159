"""The measurement as Markdown."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmarks.coverage.rows import GAINS, NUMBERS, Row

DATA = {False: "fresh data", True: "one table"}
WANTED = (0.93, 0.97)


def summary(rows: Sequence[Row]) -> str:
    """One line for each kind of data, number of seeds and interval, over all situations."""
    lines = [
        "| data | seeds | interval | holds the truth: mean [least, most] | half its width, pp | "
        "A/A called better: mean [most] | "
        + " | ".join(f"power at +{gain} pp" for gain in GAINS)
        + " |",
        "| --- | --: | --- | --: | --: | --: | " + " | ".join("--:" for _ in GAINS) + " |",
    ]
    for table, data in DATA.items():
        for seeds in NUMBERS:
            mine = [row for row in rows if (row.table, row.seeds) == (table, seeds)]
            alike = [row for row in mine if row.comparison == "A/A"]
            for name in mine[0].ends:
                cover = [row.coverage(name) for row in mine]
                false = [row.better(name) for row in alike]
                width = np.mean([row.half_width(name) for row in mine])
                power = [np.mean([row.better(name, gain) for row in mine]) for gain in GAINS]
                lines.append(
                    f"| {data} | {seeds} | {name} | {_percent(np.mean(cover))} "
                    f"[{_percent(min(cover))}, {_percent(max(cover))}] | {width:.1f} | "
                    f"{_percent(np.mean(false))} [{_percent(max(false))}] | "
                    + " | ".join(_percent(share) for share in power)
                    + " |"
                )
    return "\n".join(lines)


def verdict(rows: Sequence[Row], name: str) -> str:
    """How many situations are within what is wanted, and which are not by more than chance."""
    beyond = [row for row in rows if not _within(row, name, 0)]
    sure = [row for row in beyond if not _within(row, name, 2)]
    share = f"{len(rows) - len(beyond)} of {len(rows)} situations"
    sentence = f"Of {name}, {share} are within 93 to 97 %"
    if not beyond:
        return f"{sentence}."
    more = f"{len(sure)} of the others by more than two standard errors of the measurement"
    named = [
        f"{situation(row)}, {row.seeds} seeds ({_percent(row.coverage(name))})" for row in sure
    ]
    return f"{sentence}; outside are {more}" + (f": {'; '.join(named)}." if named else ".")


def details(rows: Sequence[Row]) -> str:
    """Each situation: the truth, and coverage with half the width of each interval."""
    names = list(rows[0].ends)
    lines = [
        f"| situation | seeds | truth, pp | {' | '.join(names)} |",
        f"| --- | --: | --: | {' | '.join('--:' for _ in names)} |",
    ]
    for row in rows:
        cells = [f"{_percent(row.coverage(name))} ({row.half_width(name):.1f})" for name in names]
        lines.append(f"| {situation(row)} | {row.seeds} | {row.truth:+.1f} | {' | '.join(cells)} |")
    return "\n".join(lines)


def situation(row: Row) -> str:
    """In words."""
    rate = "each at its best rate" if row.setting == "best" else f"rate {row.setting}"
    return f"{DATA[row.table]}, {row.comparison}, {row.decision}, {rate}"


def standard_error(row: Row, name: str) -> float:
    """Of the measured coverage, from as many independent sets as there are at most."""
    share = min(max(row.coverage(name), 0.01), 0.99)
    return float(np.sqrt(share * (1 - share) / row.independent))


def _within(row: Row, name: str, errors: float) -> bool:
    slack = errors * standard_error(row, name)
    return bool(WANTED[0] - slack <= row.coverage(name) <= WANTED[1] + slack)


def _percent(share: float | np.floating) -> str:
    return f"{100 * share:.1f} %"
